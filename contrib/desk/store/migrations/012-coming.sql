-- SPDX-License-Identifier: MIT
-- Goods that are kept for somebody before they are there: on which day they come to that shelf.
ALTER TABLE reservations ADD COLUMN coming_on INTEGER; -- NULL: they lay there when they were kept
