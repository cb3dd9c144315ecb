-- SPDX-License-Identifier: MIT
-- Of each transaction that PostgreSQL kept: what a commit that was never answered is looked up by.
-- (Its number will not do: one that a crash took away is given to another transaction.) Rows go after
-- two days.
CREATE TABLE outcomes (
  token INTEGER PRIMARY KEY,
  at INTEGER NOT NULL
);
CREATE INDEX outcomes_by_time ON outcomes (at);
