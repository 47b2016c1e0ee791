CREATE TABLE customers (
  id INT NOT NULL
);
