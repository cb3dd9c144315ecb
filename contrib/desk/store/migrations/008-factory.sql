-- SPDX-License-Identifier: MIT
-- What the factory is asked besides, where its answers come from, and what is kept for whom.
ALTER TABLE inquiries ADD COLUMN wanted_on INTEGER;    -- day
ALTER TABLE inquiries ADD COLUMN recommendation TEXT;  -- its key
ALTER TABLE inquiries ADD COLUMN note TEXT;
CREATE INDEX inquiries_by_asker ON inquiries (asked_by, asked_at);
ALTER TABLE answers ADD COLUMN from_json TEXT;         -- {shop: where the goods come from}
CREATE INDEX stray_answers_by_arrival ON stray_answers (arrived_at);

-- What a customer has agreed to, one an inquiry: from which shop, until when it is kept. The pieces
-- that are set aside on the desk's own shelves are rows of `reservations`; an ERP has its own.
CREATE TABLE holds (
  inquiry TEXT PRIMARY KEY REFERENCES inquiries ON DELETE CASCADE,
  customer_id TEXT,
  item_id INTEGER REFERENCES items ON DELETE SET NULL,
  number TEXT NOT NULL UNIQUE,         -- stands on the pick-up note
  shop TEXT NOT NULL,
  ready_on INTEGER NOT NULL,           -- day
  lines_json TEXT NOT NULL,
  agreed_by TEXT NOT NULL,             -- at the customer
  agreed_on INTEGER NOT NULL,
  keep_until INTEGER NOT NULL,         -- day, which is the last one
  by_name TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('wanted', 'held', 'refused', 'fetched', 'released',
    'expired')),
  state_at INTEGER NOT NULL,
  becomes TEXT,                        -- what an ERP must still be told: released or expired
  tries INTEGER NOT NULL DEFAULT 0,
  next_try_at INTEGER,                 -- of the ERP
  shipments TEXT,                      -- the ERP's numbers
  error TEXT
);
CREATE INDEX holds_due ON holds (next_try_at);
CREATE INDEX holds_by_end ON holds (state, keep_until);
CREATE INDEX holds_of_item ON holds (item_id);
CREATE INDEX reservations_of_inquiry ON reservations (inquiry);
