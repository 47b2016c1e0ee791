CREATE TABLE customers (
  id INT NOT NULL,
  name TEXT COLLATE "de_DE",
  email TEXT WITH MASKING POLICY hide_email,
  phone TEXT WITH TAG (pii='true')
);
