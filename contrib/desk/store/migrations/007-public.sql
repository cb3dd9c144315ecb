-- SPDX-License-Identifier: MIT
-- What visitors of product pages ask, what staff has to do about it, and what customers change of
-- what is registered of them.

CREATE TABLE product_contacts (
  id SERIAL_KEY,
  number TEXT NOT NULL UNIQUE,         -- what the visitor is told
  key TEXT NOT NULL UNIQUE,            -- of the form that was sent: sent twice, it counts once
  customer_id TEXT,                    -- NULL: a person has to decide whose it is
  found_by TEXT,                       -- login, link, number, email, or the person who decided
  kind TEXT NOT NULL CHECK (kind IN ('quote', 'material', 'call', 'question')),
  sku TEXT NOT NULL,
  product_json TEXT NOT NULL,          -- with price, stock and date as of then
  page_at INTEGER NOT NULL,            -- when the page was made that it was sent from
  sent_at INTEGER NOT NULL,
  name TEXT,
  email TEXT,
  phone TEXT,
  given_number TEXT,                   -- the customer number as it was typed
  text TEXT
);
CREATE INDEX product_contacts_of ON product_contacts (customer_id);
CREATE INDEX product_contacts_by_time ON product_contacts (sent_at);

-- What a person has to do; `tasks` is the desk's own work.
CREATE TABLE todos (
  id SERIAL_KEY,
  customer_id TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('contact', 'whose', 'answer')),
  title TEXT NOT NULL,
  text TEXT,
  contact_id INTEGER REFERENCES product_contacts ON DELETE CASCADE,
  item_id INTEGER REFERENCES items ON DELETE CASCADE,
  staff TEXT REFERENCES staff ON DELETE SET NULL, -- NULL: the team's
  made_at INTEGER NOT NULL,
  done_at INTEGER,
  done_by TEXT
);
CREATE INDEX todos_of_staff ON todos (staff, done_at, id);
CREATE INDEX todos_open ON todos (done_at, id);
CREATE INDEX todos_of_customer ON todos (customer_id);

-- Counts changes of what is registered of a customer, so that of two at once the second is told.
ALTER TABLE customers ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
CREATE TABLE customer_changes (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL REFERENCES customers ON DELETE CASCADE,
  version INTEGER NOT NULL,            -- that it made
  at INTEGER NOT NULL,
  by_user INTEGER,
  by_name TEXT NOT NULL,
  field TEXT NOT NULL,
  old_value TEXT,
  new_value TEXT
);
CREATE INDEX customer_changes_of ON customer_changes (customer_id, id);

-- What the CRM is still to be told. A change goes with its customer; that everything of one is to be
-- taken out there outlives the customer here, until it is done.
CREATE TABLE crm_jobs (
  id SERIAL_KEY,
  subject TEXT NOT NULL,               -- the customer
  what TEXT NOT NULL CHECK (what IN ('change', 'erase')),
  arg_json TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  error TEXT
);
CREATE INDEX crm_jobs_due ON crm_jobs (due_at, id);

-- Receipts of a customer who is still there, to be shown again.
CREATE TABLE own_receipts (
  receipt TEXT PRIMARY KEY,
  customer_id TEXT NOT NULL REFERENCES customers ON DELETE CASCADE,
  extent TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE INDEX own_receipts_of ON own_receipts (customer_id);
