-- SPDX-License-Identifier: MIT
-- What a customer sent, newest first and counted, without a look at what all others sent.
CREATE INDEX summaries_of_customer ON summaries (customer_id, id);
