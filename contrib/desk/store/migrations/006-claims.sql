-- SPDX-License-Identifier: MIT
-- What customers complain of, what the devices were asked about it, and what became of it.

CREATE TABLE claims (
  id SERIAL_KEY,                       -- people say K-12
  customer_id TEXT REFERENCES customers ON DELETE CASCADE, -- NULL: not known yet
  source TEXT NOT NULL,                -- 'form', 'api/USER', 'mail', 'crm'
  via TEXT NOT NULL CHECK (via IN ('form', 'api', 'mail', 'crm')),
  external_id TEXT,                    -- there
  claimed_at INTEGER NOT NULL,
  arrived_at INTEGER NOT NULL,
  by_name TEXT,                        -- who complains
  device_id INTEGER REFERENCES devices ON DELETE CASCADE,
  vendor TEXT,                         -- of the device
  model TEXT,
  type TEXT NOT NULL,
  type_version INTEGER,                -- of the list that was asked for
  text TEXT NOT NULL,
  compare TEXT NOT NULL DEFAULT 'both' CHECK (compare IN ('device', 'peers', 'both')),
  state TEXT NOT NULL DEFAULT 'open'
    CHECK (state IN ('open', 'collecting', 'ready', 'answered', 'closed')),
  state_at INTEGER NOT NULL,
  items_json TEXT,                     -- the names that were asked for
  asked_at INTEGER,
  asked_by TEXT,
  expires_at INTEGER,
  models INTEGER,                      -- others of the model, when it was asked
  without_consent INTEGER,             -- of these, not asked
  ready_at INTEGER,
  answer TEXT,
  answered_at INTEGER,
  answered_by TEXT,
  owner TEXT,                          -- staff
  attach_at INTEGER,                   -- the result is to be put to the CRM's complaint from then on
  attached_at INTEGER,
  version INTEGER NOT NULL DEFAULT 1,
  document_json TEXT NOT NULL,         -- as it came
  UNIQUE (source, external_id)
);
CREATE INDEX claims_by_state ON claims (state, id);
CREATE INDEX claims_of_device ON claims (device_id);
CREATE INDEX claims_of_customer ON claims (customer_id, id);
CREATE INDEX claims_of_model ON claims (model, type, claimed_at);
CREATE INDEX claims_to_attach ON claims (attach_at);

CREATE TABLE claim_events (
  id SERIAL_KEY,
  customer_id TEXT,
  claim_id INTEGER NOT NULL REFERENCES claims ON DELETE CASCADE,
  at INTEGER NOT NULL,
  by_name TEXT NOT NULL,               -- a person, or 'desk'
  what TEXT NOT NULL,
  from_state TEXT,
  to_state TEXT,
  text TEXT
);
CREATE INDEX claim_events_of ON claim_events (claim_id, id);

-- Which data items a kind of claim needs; the newest version counts, '' is for all other kinds. An
-- empty list takes the kind away.
CREATE TABLE claim_types (
  type TEXT NOT NULL,
  version INTEGER NOT NULL,
  items TEXT NOT NULL,                 -- names, separated by blanks
  hints TEXT NOT NULL DEFAULT '',      -- words of a free text that mean this kind, by commas
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (type, version)
);
INSERT INTO claim_types (type, version, items, hints, changed_at, changed_by) VALUES
  ('', 1, 'pages_total copies_feed network_environment printer_state console_message', '', 0, 'desk'),
  ('image too light', 1,
   'pages_total copies_feed density_black exposure density_auto drum_charge network_environment',
   'too light, faint, pale, washed out', 0, 'desk'),
  ('image too dark', 1,
   'pages_total copies_feed density_black exposure density_auto drum_charge network_environment',
   'too dark, background is grey, grey background', 0, 'desk'),
  ('paper jam', 1, 'pages_total copies_feed tray_media tray_level cover_state printer_state console_message',
   'jam, misfeed, paper stuck', 0, 'desk'),
  ('cannot be reached', 1,
   'network_environment network_link_state network_link_speed network_errors network_discards network_mtu',
   'network, offline, not reachable', 0, 'desk');

ALTER TABLE comments ADD COLUMN claim_id INTEGER REFERENCES claims ON DELETE CASCADE;
CREATE INDEX comments_of_claim ON comments (claim_id, id);
CREATE INDEX requests_of_claim ON requests (claim);
