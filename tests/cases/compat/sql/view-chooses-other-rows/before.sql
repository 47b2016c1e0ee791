CREATE VIEW daily_fares AS
SELECT day, city, sum(fare) AS fares
FROM trips
GROUP BY day, city;
