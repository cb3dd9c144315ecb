-- SPDX-License-Identifier: MIT
-- Both engines read this; store/dialect.c translates a few words. A table with a column customer_id
-- holds customers' data, and is secured by row in PostgreSQL. Times are seconds, days are days since
-- 1970-01-01, money is text as the documents have it and REAL where it is only compared.

-- --- who ---------------------------------------------------------------------------------------

CREATE TABLE customers (
  customer_id TEXT PRIMARY KEY CHECK (customer_id <> ''),
  name TEXT NOT NULL,
  region TEXT,
  contact TEXT,                        -- who is asked for
  shop TEXT,                           -- where goods are handed over, unless the site says otherwise
  language TEXT,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER                   -- erasure has begun: nothing is taken any more
);

-- Telephone numbers and mail addresses: by them a caller or a sender is known.
CREATE TABLE addresses (
  customer_id TEXT NOT NULL REFERENCES customers ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('phone', 'email', 'number')),
  address TEXT NOT NULL,               -- digits and '+' alone; lower case
  name TEXT,
  PRIMARY KEY (kind, address, customer_id)
);
CREATE INDEX addresses_of ON addresses (customer_id);

CREATE TABLE sites (
  customer_id TEXT NOT NULL REFERENCES customers ON DELETE CASCADE,
  site TEXT NOT NULL,
  name TEXT,
  timezone TEXT,
  shop TEXT,
  created_at INTEGER NOT NULL,
  enrolled_at INTEGER,
  first_seen_at INTEGER,
  last_seen_at INTEGER,                -- of anything that its credentials signed
  last_summary_at INTEGER,
  PRIMARY KEY (customer_id, site)
);
CREATE INDEX sites_by_seen ON sites (last_seen_at);

-- A site has several while it changes from old to new ones. A secret must be had in clear to check a
-- signature with it; of the token the hash is enough.
CREATE TABLE credentials (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  site TEXT NOT NULL,
  target TEXT NOT NULL,                -- how the site calls this receiver
  token_prefix TEXT NOT NULL,          -- what people see of it
  token_sha256 TEXT NOT NULL UNIQUE,
  secret TEXT NOT NULL,                -- whsec_...
  certificate_sha256 TEXT,             -- of the site's client certificate, where it has one
  created_at INTEGER NOT NULL,
  first_used_at INTEGER,
  last_used_at INTEGER,
  valid_until INTEGER,                 -- NULL: until revoked, or until the next one is used
  revoked_at INTEGER,
  FOREIGN KEY (customer_id, site) REFERENCES sites ON DELETE CASCADE
);
CREATE INDEX credentials_of ON credentials (customer_id, site);
CREATE UNIQUE INDEX credentials_by_certificate ON credentials (certificate_sha256);

CREATE TABLE staff (
  staff TEXT PRIMARY KEY,              -- the vendor's own number or short name
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('sales', 'service', 'factory', 'engineer', 'admin')),
  team TEXT,
  region TEXT,
  email TEXT,
  phone TEXT,
  stand_in TEXT,                       -- who acts while absent
  left_on INTEGER
);
CREATE TABLE absences (
  staff TEXT NOT NULL REFERENCES staff ON DELETE CASCADE,
  from_day INTEGER NOT NULL,
  to_day INTEGER NOT NULL,
  stand_in TEXT,
  PRIMARY KEY (staff, from_day)
);
-- Who looks after whom: the most exact row counts (site before customer before region).
CREATE TABLE assignments (
  id SERIAL_KEY,
  staff TEXT NOT NULL REFERENCES staff ON DELETE CASCADE,
  role TEXT NOT NULL,
  customer_id TEXT,
  site TEXT,
  region TEXT,
  kind TEXT                            -- of device; NULL: any
);
CREATE INDEX assignments_of ON assignments (customer_id, site);
CREATE INDEX assignments_by_staff ON assignments (staff);

-- --- what is sold, and where it lies -------------------------------------------------------------

CREATE TABLE shops (
  shop TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL DEFAULT 'shop' CHECK (kind IN ('shop', 'warehouse', 'factory')),
  region TEXT,
  address TEXT,
  phone TEXT
);
CREATE TABLE stock (
  shop TEXT NOT NULL,
  sku TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity >= 0),
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (shop, sku)
);
CREATE INDEX stock_of ON stock (sku);
-- Days from one place to another; from '' the supplier, to '' anywhere, sku '' anything.
CREATE TABLE lead_times (
  from_shop TEXT NOT NULL DEFAULT '',
  to_shop TEXT NOT NULL DEFAULT '',
  sku TEXT NOT NULL DEFAULT '',
  days INTEGER NOT NULL CHECK (days >= 0),
  PRIMARY KEY (from_shop, to_shop, sku)
);
-- Each catalogue that was imported, whole; the newest is today's.
CREATE TABLE catalogues (
  id SERIAL_KEY,
  sha256 TEXT NOT NULL,
  issued_on INTEGER,
  imported_at INTEGER NOT NULL,
  imported_by TEXT,
  document BLOB NOT NULL
);
-- Of today's: what queries need.
CREATE TABLE catalogue_items (
  sku TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  name TEXT,
  kind TEXT,
  price TEXT,
  currency TEXT,
  lead_time_days REAL,
  replaced_by TEXT
);

-- --- what came -----------------------------------------------------------------------------------

CREATE TABLE devices (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL REFERENCES customers ON DELETE CASCADE,
  site TEXT NOT NULL,
  host TEXT NOT NULL,
  device TEXT NOT NULL,
  kind TEXT,
  vendor TEXT,
  model TEXT,
  product_number TEXT,
  serial TEXT,                         -- in clear, or the site's pseudonym
  sold_on INTEGER,
  firmware TEXT,
  capacity_bytes REAL,
  used_bytes REAL,
  used_fraction REAL,
  growth_bytes_per_day REAL,
  fill_early INTEGER,                  -- days
  fill_middle INTEGER,
  fill_late INTEGER,
  observed_at INTEGER,
  consent INTEGER NOT NULL DEFAULT 0,  -- bits of common/conf.h's purposes, by the newest summary
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  period_to INTEGER,                   -- of the newest summary
  summary_id INTEGER,
  last_day INTEGER,                    -- the newest of its history
  words TEXT NOT NULL DEFAULT '',      -- what a search looks through, in lower case
  advise_at INTEGER,                   -- recommendations are to be computed from then on; NULL: done
  advised_at INTEGER,
  advice_error TEXT,
  UNIQUE (customer_id, site, host, device)
);
CREATE INDEX devices_to_advise ON devices (advise_at, id);
CREATE INDEX devices_by_fill ON devices (fill_middle, id);
CREATE INDEX devices_by_model ON devices (kind, model);
CREATE INDEX devices_by_serial ON devices (serial);

-- What was sent, byte for byte.
CREATE TABLE summaries (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  device_id INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
  event TEXT NOT NULL,                 -- its key
  kind TEXT NOT NULL CHECK (kind IN ('summary', 'history')),
  period_from INTEGER,
  period_to INTEGER NOT NULL,
  generated_at INTEGER NOT NULL,
  arrived_at INTEGER NOT NULL,
  sha256 TEXT NOT NULL,                -- of the whole event
  size INTEGER NOT NULL,
  data_at INTEGER NOT NULL,            -- the document within the event
  data_len INTEGER NOT NULL,
  encoding TEXT NOT NULL,              -- 'deflate' (zlib) or 'plain'
  body BLOB NOT NULL
);
CREATE INDEX summaries_of ON summaries (device_id, period_to);
CREATE INDEX summaries_by_arrival ON summaries (arrived_at);

-- The days of one device and month, packed (store/days.h): two years of 100,000 devices are
-- 2.4 million rows instead of 73.
CREATE TABLE history (
  device_id INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
  month INTEGER NOT NULL,              -- since 1970-01
  customer_id TEXT NOT NULL,
  days BLOB NOT NULL,
  PRIMARY KEY (device_id, month)
) WITHOUT_ROWID;

-- Each event that was accepted or refused for good: what comes again is known.
CREATE TABLE events (
  event TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  site TEXT NOT NULL,
  type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  arrived_at INTEGER NOT NULL,
  PRIMARY KEY (event, customer_id)
) WITHOUT_ROWID;
CREATE INDEX events_by_arrival ON events (arrived_at);

CREATE TABLE quarantine (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  site TEXT NOT NULL,
  event TEXT NOT NULL,
  arrived_at INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  field TEXT,
  reason TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (customer_id, event, sha256)
);
CREATE INDEX quarantine_by_arrival ON quarantine (arrived_at);

-- What an administrator must hear of.
CREATE TABLE alarms (
  id SERIAL_KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  customer_id TEXT,
  site TEXT,
  text TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  seen_at INTEGER,
  UNIQUE (kind, subject)
);

-- --- what is advised, and what became of it ------------------------------------------------------

CREATE TABLE items (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  device_id INTEGER NOT NULL REFERENCES devices ON DELETE CASCADE,
  key TEXT NOT NULL,
  action TEXT NOT NULL,
  kind TEXT,                           -- of the device
  region TEXT,                         -- of the customer
  state TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'contacted', 'proposed', 'agreed',
    'ordered', 'delivered', 'installed', 'lost', 'snoozed', 'gone')),
  open INTEGER NOT NULL DEFAULT 1,     -- 0: lost, installed or gone
  state_at INTEGER NOT NULL,
  price TEXT,
  currency TEXT,
  money REAL,                          -- price as a number
  probability REAL,                    -- that it is needed within a year
  urgency REAL,
  weight REAL NOT NULL DEFAULT 0,      -- money x probability x urgency, on the day weighed_on
  weighed_on INTEGER,
  order_by INTEGER,                    -- day
  fill_middle INTEGER,
  confidence REAL,
  reason TEXT,
  advice_json TEXT NOT NULL,           -- the recommendation as it was computed last
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,            -- computed last
  advised INTEGER NOT NULL DEFAULT 1,  -- 0: the newest advice has it no more
  returned INTEGER NOT NULL DEFAULT 0, -- how often the need came back after it was closed
  owner TEXT,                          -- staff
  agreed_by TEXT,
  agreed_at INTEGER,
  lost_reason TEXT,
  closed_reason TEXT,
  snoozed_until INTEGER,
  told_late_at INTEGER,
  version INTEGER NOT NULL DEFAULT 1,  -- counts changes
  UNIQUE (customer_id, key)
);
CREATE INDEX items_ranked ON items (open, weight, id);
CREATE INDEX items_by_order ON items (open, order_by, id);
CREATE INDEX items_of_device ON items (device_id);
CREATE INDEX items_of_customer ON items (customer_id, open);
CREATE INDEX items_of_owner ON items (owner, open, weight, id);

CREATE TABLE item_events (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,               -- a person, or 'desk'
  what TEXT NOT NULL,                  -- state, advice, returned, closed, owner, ...
  from_state TEXT,
  to_state TEXT,
  text TEXT
);
CREATE INDEX item_events_of ON item_events (item_id, id);

CREATE TABLE comments (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  item_id INTEGER REFERENCES items ON DELETE CASCADE,
  device_id INTEGER REFERENCES devices ON DELETE CASCADE,
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX comments_of_item ON comments (item_id, id);
CREATE INDEX comments_of_device ON comments (device_id, id);

CREATE TABLE contacts (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  item_id INTEGER REFERENCES items ON DELETE CASCADE,
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  way TEXT NOT NULL,                   -- mail, phone, visit, fax, ...
  with_whom TEXT,
  text TEXT
);
CREATE INDEX contacts_of ON contacts (item_id, id);
CREATE INDEX contacts_of_customer ON contacts (customer_id, id);

CREATE TABLE quotes (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  number TEXT NOT NULL UNIQUE,
  made_at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  valid_until INTEGER,
  sent_to TEXT,
  sent_at INTEGER,
  document_json TEXT NOT NULL
);
CREATE INDEX quotes_of ON quotes (item_id);

CREATE TABLE feedback (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL,
  item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  verdict TEXT NOT NULL,
  text TEXT
);
CREATE INDEX feedback_of ON feedback (item_id);

-- --- the factory ---------------------------------------------------------------------------------

CREATE TABLE inquiries (
  inquiry TEXT PRIMARY KEY,
  customer_id TEXT,
  item_id INTEGER REFERENCES items ON DELETE CASCADE,
  asked_by INTEGER,                    -- user
  by_name TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  shop TEXT,
  lines_json TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'refused')),
  answered_at INTEGER,
  tries INTEGER NOT NULL DEFAULT 0,
  next_try_at INTEGER,
  error TEXT
);
CREATE INDEX inquiries_open ON inquiries (state, next_try_at);
CREATE INDEX inquiries_of_item ON inquiries (item_id);
CREATE INDEX inquiries_by_time ON inquiries (asked_at, inquiry);

CREATE TABLE answers (
  inquiry TEXT PRIMARY KEY REFERENCES inquiries ON DELETE CASCADE,
  customer_id TEXT,
  arrived_at INTEGER NOT NULL,
  answered_at INTEGER NOT NULL,
  complete_on INTEGER,
  by_name TEXT,
  seen_at INTEGER,                     -- by who asked
  document_json TEXT NOT NULL
);
-- Answers to what nobody asked.
CREATE TABLE stray_answers (
  id SERIAL_KEY,
  inquiry TEXT NOT NULL,
  arrived_at INTEGER NOT NULL,
  document_json TEXT NOT NULL
);

CREATE TABLE reservations (
  id SERIAL_KEY,
  customer_id TEXT,
  item_id INTEGER REFERENCES items ON DELETE SET NULL,
  inquiry TEXT,
  number TEXT NOT NULL UNIQUE,         -- stands on the pick-up note
  shop TEXT NOT NULL,
  sku TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  made_at INTEGER NOT NULL,
  by_name TEXT NOT NULL,
  from_day INTEGER,
  expires_on INTEGER,
  state TEXT NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'fetched', 'released', 'expired')),
  state_at INTEGER
);
CREATE INDEX reservations_of_stock ON reservations (shop, sku, state);
CREATE INDEX reservations_of_item ON reservations (item_id);

CREATE TABLE demand_issues (
  id SERIAL_KEY,
  made_at INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  document BLOB NOT NULL
);

-- --- asked of a site -----------------------------------------------------------------------------

CREATE TABLE requests (
  request TEXT PRIMARY KEY,
  customer_id TEXT NOT NULL,
  site TEXT NOT NULL,
  device_id INTEGER REFERENCES devices ON DELETE CASCADE,
  claim TEXT,
  purpose TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  asked_by TEXT,
  expires_at INTEGER NOT NULL,
  first_sent_at INTEGER,
  status TEXT NOT NULL DEFAULT 'open'
    CHECK (status IN ('open', 'answered', 'refused', 'unavailable', 'expired')),
  answered_at INTEGER,
  document_json TEXT NOT NULL
);
CREATE INDEX requests_open ON requests (customer_id, site, status);
CREATE INDEX requests_of_device ON requests (device_id);

CREATE TABLE item_values (
  event TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  request TEXT NOT NULL,
  device_id INTEGER REFERENCES devices ON DELETE CASCADE,
  arrived_at INTEGER NOT NULL,
  observed_at INTEGER,
  status TEXT NOT NULL,
  document_json TEXT NOT NULL,
  PRIMARY KEY (customer_id, event)
);
CREATE INDEX item_values_of ON item_values (request);

-- --- the desk's own work -------------------------------------------------------------------------

-- What must be done and is not done yet; one desk at a time has the lease.
CREATE TABLE tasks (
  id SERIAL_KEY,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  customer_id TEXT,
  due_at INTEGER NOT NULL,
  leased_until INTEGER,
  tries INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  arg_json TEXT,
  UNIQUE (kind, key)
);
CREATE INDEX tasks_due ON tasks (kind, due_at);

-- Work of which only one desk does a share: 'nightly' on a day, and so on.
CREATE TABLE leases (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until INTEGER NOT NULL,
  done_for INTEGER                     -- the day or hour that was finished last
);

CREATE TABLE webhooks (
  id SERIAL_KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  what TEXT NOT NULL,                  -- 'items', ...
  created_at INTEGER NOT NULL,
  stopped_at INTEGER,
  error TEXT
);
CREATE TABLE webhook_queue (
  id SERIAL_KEY,
  webhook_id INTEGER NOT NULL REFERENCES webhooks ON DELETE CASCADE,
  customer_id TEXT,
  key TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  body TEXT NOT NULL,
  UNIQUE (webhook_id, key)
);
CREATE INDEX webhook_queue_due ON webhook_queue (due_at, id);

-- That something was erased, without saying whose it was: the hash of CUSTOMER/SITE/HOST/DEVICE
-- leads back only whoever knows the name.
CREATE TABLE erasures (
  id SERIAL_KEY,
  receipt TEXT NOT NULL UNIQUE,
  subject_sha256 TEXT NOT NULL,
  extent TEXT NOT NULL,                -- customer, site or device
  asked_by TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  done_at INTEGER,
  rows_json TEXT
);

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT
);
