CREATE VIEW daily_fares AS
SELECT day, city, sum(fare) AS fares
FROM trips
WHERE city <> 'test'
GROUP BY day, city;
