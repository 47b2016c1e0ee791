CREATE VIEW daily_fares AS
SELECT day, city, sum(fare - tip) AS fares
FROM trips
GROUP BY day, city;
