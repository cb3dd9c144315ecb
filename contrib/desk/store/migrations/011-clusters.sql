-- SPDX-License-Identifier: MIT
-- Complaints of one kind that came often on one model: quality was told once, and again only after
-- a quiet time. What it is about is kept as a hash: a kind of complaint is in the customer's words.
CREATE TABLE claim_clusters (
  id SERIAL_KEY,
  about_sha256 TEXT NOT NULL,          -- of model and kind
  told_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL             -- the newest claim of it
);
CREATE INDEX claim_clusters_about ON claim_clusters (about_sha256, last_at);
