CREATE TABLE `lake.trips` (
  id INT64 NOT NULL,
  stops ARRAY<STRUCT<lat FLOAT64>>
)
PARTITION BY DATE(ended_at)
OPTIONS (description = 'All trips');
