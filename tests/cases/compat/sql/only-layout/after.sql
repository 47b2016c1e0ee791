-- All trips.
create table Trips (Id bigint, FARE decimal(10,2) not null, city character varying(50), primary key (id))
