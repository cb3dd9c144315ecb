-- SPDX-License-Identifier: MIT
-- Letters that are to be sent. They are written in the transaction of what they tell, so that there
-- is one when, and only when, the thing itself is; whose data stand in them is told for erasure.
CREATE TABLE letters (
  id SERIAL_KEY,
  customer_id TEXT NOT NULL DEFAULT '',  -- '': nobody's
  key TEXT NOT NULL UNIQUE,              -- one letter of each, whatever is tried how often
  to_address TEXT NOT NULL,
  to_name TEXT,
  reply_to TEXT,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  due_at INTEGER,                        -- NULL: sent, or given up
  tries INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  sent_at INTEGER,
  dead_at INTEGER
);
CREATE INDEX letters_due ON letters (due_at, id);
CREATE INDEX letters_of ON letters (customer_id);

CREATE TABLE letter_parts (
  letter_id INTEGER NOT NULL REFERENCES letters ON DELETE CASCADE,
  customer_id TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (letter_id, name)
);
