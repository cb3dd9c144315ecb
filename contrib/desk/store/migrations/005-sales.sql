-- SPDX-License-Identifier: MIT
-- What is told to the vendor's own systems: changes of one item go out in their order, and what was
-- refused for good stays to be seen.
ALTER TABLE webhook_queue ADD COLUMN item_id INTEGER REFERENCES items ON DELETE CASCADE;
ALTER TABLE webhook_queue ADD COLUMN made_at INTEGER;
ALTER TABLE webhook_queue ADD COLUMN dead_at INTEGER;
CREATE INDEX webhook_queue_of ON webhook_queue (webhook_id, item_id, id);
ALTER TABLE webhooks ADD COLUMN sent_at INTEGER;
ALTER TABLE webhooks ADD COLUMN error_at INTEGER;
-- As it stands on a letter, its lines divided by ', '.
ALTER TABLE customers ADD COLUMN address TEXT;
CREATE INDEX items_by_first ON items (first_at);
CREATE INDEX item_events_by_time ON item_events (at);
CREATE INDEX sites_of ON sites (customer_id, last_seen_at);
-- What the newest summary says of its forecast.
ALTER TABLE devices ADD COLUMN forecast_model TEXT;
ALTER TABLE devices ADD COLUMN forecast_mase REAL;
CREATE INDEX devices_by_forecast ON devices (forecast_model, forecast_mase, customer_id);
CREATE INDEX items_by_rule ON items (action, state, open, customer_id);
