CREATE TABLE trips (
  id BIGINT PRIMARY KEY,
  fare NUMERIC(10, 2) NOT NULL,
  city VARCHAR(50),
  driver TEXT
);
CREATE VIEW open_trips AS SELECT * FROM trips;
