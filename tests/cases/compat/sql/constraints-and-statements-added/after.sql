-- Trips of vans, one row each.
CREATE TABLE trips (
  id BIGINT NOT NULL,
  fare NUMERIC(10,2) NOT NULL,
  rider BIGINT,
  PRIMARY KEY (id),
  CONSTRAINT fares CHECK (fare >= 0)
);

ALTER TABLE trips
  ADD CONSTRAINT riders FOREIGN KEY (rider) REFERENCES riders (id);

GRANT SELECT ON trips TO analysts;
