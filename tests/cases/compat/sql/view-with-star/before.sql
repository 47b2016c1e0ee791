CREATE VIEW v AS SELECT * FROM warehouse.trips;
