create table trips (id int);
