-- The shop's tables. {AUTO}, {TIME} and {TAIL} are the three words in which the databases differ. Amounts are in kurus,
-- times in UTC. Every status is plain text: nothing in the database says which may follow which.
CREATE TABLE users (
    id VARCHAR(64) PRIMARY KEY, name VARCHAR(200) NOT NULL, language VARCHAR(2) NOT NULL, password VARCHAR(255) NOT NULL, active SMALLINT NOT NULL
) {TAIL};
CREATE TABLE roles (id VARCHAR(64) PRIMARY KEY) {TAIL};
CREATE TABLE user_roles (                       -- `shop` is '' for a role in the whole market
    user_id VARCHAR(64) NOT NULL, role VARCHAR(64) NOT NULL, shop VARCHAR(64) NOT NULL, PRIMARY KEY (user_id, role, shop)
) {TAIL};
CREATE TABLE shops (id VARCHAR(64) PRIMARY KEY, name VARCHAR(200) NOT NULL, active SMALLINT NOT NULL) {TAIL};
CREATE TABLE products (
    id VARCHAR(64) PRIMARY KEY, shop VARCHAR(64) NOT NULL, name VARCHAR(200) NOT NULL, price BIGINT NOT NULL, stock BIGINT NOT NULL, listed SMALLINT NOT NULL
) {TAIL};
CREATE TABLE carts (
    user_id VARCHAR(64) NOT NULL, product VARCHAR(64) NOT NULL, quantity BIGINT NOT NULL, PRIMARY KEY (user_id, product)
) {TAIL};
CREATE TABLE orders (
    id VARCHAR(64) PRIMARY KEY, buyer VARCHAR(64) NOT NULL, shop VARCHAR(64) NOT NULL, total BIGINT NOT NULL, paid BIGINT NOT NULL,
    status VARCHAR(32) NOT NULL, tracking VARCHAR(200) NOT NULL, placed_at {TIME} NOT NULL
) {TAIL};
CREATE INDEX orders_by_status ON orders (status, placed_at);
CREATE INDEX orders_by_buyer ON orders (buyer, placed_at);
CREATE TABLE order_items (
    order_id VARCHAR(64) NOT NULL, product VARCHAR(64) NOT NULL, quantity BIGINT NOT NULL, price BIGINT NOT NULL, PRIMARY KEY (order_id, product)
) {TAIL};
CREATE TABLE payments (
    id VARCHAR(64) PRIMARY KEY, order_id VARCHAR(64) NOT NULL, payer VARCHAR(64) NOT NULL, provider VARCHAR(64) NOT NULL, amount BIGINT NOT NULL,
    psp_ref VARCHAR(200) NOT NULL, status VARCHAR(32) NOT NULL
) {TAIL};
CREATE INDEX payments_by_order ON payments (order_id);
CREATE TABLE refunds (
    id VARCHAR(64) PRIMARY KEY, order_id VARCHAR(64) NOT NULL, amount BIGINT NOT NULL, reason VARCHAR(500) NOT NULL, status VARCHAR(32) NOT NULL
) {TAIL};
CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE TABLE reservations (
    id VARCHAR(64) PRIMARY KEY, booker VARCHAR(64) NOT NULL, guests BIGINT NOT NULL, nights BIGINT NOT NULL, room VARCHAR(64) NOT NULL,
    rate BIGINT NOT NULL, deposit VARCHAR(32) NOT NULL, arrival {TIME} NOT NULL, status VARCHAR(32) NOT NULL
) {TAIL};
CREATE TABLE status_change_logs (               -- what the shop takes for evidence
    id {AUTO}, subject VARCHAR(32) NOT NULL, subject_id VARCHAR(64) NOT NULL, old_status VARCHAR(32), new_status VARCHAR(32) NOT NULL,
    event VARCHAR(32) NOT NULL, actor VARCHAR(64) NOT NULL, detail TEXT NOT NULL, changed_at {TIME} NOT NULL
) {TAIL};
CREATE INDEX logs_by_subject ON status_change_logs (subject, subject_id);
CREATE TABLE request_ids (                      -- what was answered to a request, to be answered again
    actor VARCHAR(64) NOT NULL, id VARCHAR(128) NOT NULL, status BIGINT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (actor, id)
) {TAIL};
CREATE TABLE numbers (n {AUTO}, taken SMALLINT NOT NULL) {TAIL};
