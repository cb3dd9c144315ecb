-- SPDX-License-Identifier: MIT
-- Who may do what at the desk: accounts, what they are known by, and what they did.

-- A customer's own people carry their customer; the vendor's staff may point to its row of staff.
CREATE TABLE users (
  id SERIAL_KEY,
  login TEXT NOT NULL UNIQUE,          -- a mail address in lower case
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('sales', 'service', 'factory', 'engineer', 'customer', 'admin')),
  customer_id TEXT REFERENCES customers ON DELETE CASCADE,
  staff TEXT REFERENCES staff ON DELETE SET NULL,
  password TEXT,                       -- argon2id; NULL: only by a link
  created_at INTEGER NOT NULL,
  password_at INTEGER,
  disabled_at INTEGER,
  last_login_at INTEGER,
  CHECK ((role = 'customer') = (customer_id IS NOT NULL))
);
CREATE INDEX users_of ON users (customer_id);
CREATE INDEX users_of_staff ON users (staff);

-- Of the cookie only the hash is here: who reads the database cannot use it.
CREATE TABLE sessions (
  id SERIAL_KEY,
  id_sha256 TEXT NOT NULL UNIQUE,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  address TEXT NOT NULL,
  agent TEXT
);
CREATE INDEX sessions_of ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE api_tokens (
  id SERIAL_KEY,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,                -- what people see of it
  token_sha256 TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  used_at INTEGER,
  expires_at INTEGER,
  revoked_at INTEGER
);
CREATE INDEX api_tokens_of ON api_tokens (user_id);

CREATE TABLE login_links (
  token_sha256 TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
);
CREATE INDEX login_links_of ON login_links (user_id);

-- Token buckets: how much was left at a time. They outlive a restart.
CREATE TABLE buckets (
  name TEXT PRIMARY KEY,               -- 'account:...', 'address:...'
  left_over REAL NOT NULL,
  at INTEGER NOT NULL
);

-- Only ever added to; what is older than the configuration says is removed.
CREATE TABLE audit (
  id SERIAL_KEY,
  at INTEGER NOT NULL,
  user_id INTEGER,
  by_name TEXT NOT NULL,
  role TEXT,
  address TEXT,
  what TEXT NOT NULL,                  -- login, login-failed, logout, seen, export, role, ...
  subject TEXT,                        -- a customer, an account, a file
  text TEXT
);
CREATE INDEX audit_by_time ON audit (at, id);
CREATE INDEX audit_of_subject ON audit (subject, id);
