-- SPDX-License-Identifier: MIT
-- Who a comment is from, and whether the customer sees it.
ALTER TABLE comments ADD COLUMN by_role TEXT;
ALTER TABLE comments ADD COLUMN to_customer INTEGER NOT NULL DEFAULT 0;
