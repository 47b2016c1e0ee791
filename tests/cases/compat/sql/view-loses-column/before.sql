CREATE VIEW daily_fares AS
SELECT day, city, sum(fare) AS fares, count(*) AS trips
FROM trips
GROUP BY day, city;
