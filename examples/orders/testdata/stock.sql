INSERT INTO stock (sku, quantity) VALUES ('lamp', 3), ('desk', 1), ('chair', 40);
