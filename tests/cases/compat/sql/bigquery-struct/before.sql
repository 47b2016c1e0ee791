CREATE TABLE `lake.trips` (
  id INT64 NOT NULL,
  stops ARRAY<STRUCT<lat FLOAT64, lon FLOAT64>>
)
PARTITION BY DATE(started_at)
OPTIONS (description = 'All trips');
