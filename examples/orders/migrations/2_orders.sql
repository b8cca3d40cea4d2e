CREATE TABLE orders (
	id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer text NOT NULL,
	placed   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE items (
	order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE,
	sku      text NOT NULL REFERENCES stock,
	quantity integer NOT NULL CHECK (quantity > 0),
	PRIMARY KEY (order_id, sku)
);
