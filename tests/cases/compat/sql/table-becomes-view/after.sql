CREATE VIEW trips AS
SELECT id, CAST(fare AS NUMERIC(10, 2)) AS fare, city
FROM raw.trips;
