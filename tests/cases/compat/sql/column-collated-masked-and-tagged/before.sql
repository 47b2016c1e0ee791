CREATE TABLE customers (
  id INT NOT NULL,
  name TEXT,
  email TEXT,
  phone TEXT
);
