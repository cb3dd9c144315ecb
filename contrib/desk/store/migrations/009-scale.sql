-- SPDX-License-Identifier: MIT
-- So that lists of the items of 100,000 devices pass over what is filtered out, and count the rest,
-- without reading the items themselves.
DROP INDEX items_ranked;
CREATE INDEX items_ranked ON items (open, weight, id, state, customer_id, owner, kind, action, region,
  currency, order_by, device_id);
DROP INDEX items_of_device;
CREATE INDEX items_of_device ON items (device_id, open, order_by);
DROP INDEX items_of_customer;
CREATE INDEX items_of_customer ON items (customer_id, open, order_by);
CREATE INDEX devices_by_advice ON devices (advised_at);
