CREATE VIEW v AS SELECT * FROM warehouse.all_trips;
