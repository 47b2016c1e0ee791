CREATE TABLE customers (
  id INT NOT NULL,
  name TEXT COLLATE "C" NOT NULL
);
