-- Tables of the shop. Loaded once into a fresh cluster by stack.py.
SELECT setseed(0.42);

CREATE TABLE products (
    id          integer PRIMARY KEY,
    name        text NOT NULL,
    category    integer NOT NULL,
    price       numeric(10, 2) NOT NULL,
    stock       integer NOT NULL,
    description text NOT NULL
) WITH (fillfactor = 90);

CREATE TABLE orders (
    id          bigserial PRIMARY KEY,
    customer_id integer NOT NULL,
    product_id  integer NOT NULL,
    quantity    integer NOT NULL,
    status      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 90);

CREATE TABLE cart_items (
    customer_id integer NOT NULL,
    product_id  integer NOT NULL,
    quantity    integer NOT NULL,
    PRIMARY KEY (customer_id, product_id)
);

INSERT INTO products
SELECT i, 'product ' || md5(i::text), (random() * 399)::int,
       (1 + random() * 499)::numeric(10, 2), 1000000, repeat(md5((i * 7)::text), 4)
FROM generate_series(1, 200000) AS i;

INSERT INTO orders (customer_id, product_id, quantity, status, created_at)
SELECT 1 + (random() * 19999)::int, 1 + (random() * 199999)::int,
       1 + (random() * 3)::int, 'done', now() - random() * interval '90 days'
FROM generate_series(1, 300000) AS i;

CREATE INDEX products_category_price_idx ON products (category, price);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE INDEX orders_new_idx ON orders (id) WHERE status = 'new';

VACUUM ANALYZE;
