/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_OFFER_H
#define TM_DESK_OFFER_H

#include <jansson.h>
#include <stdint.h>

/*
 * An answer as people read it: the shops of which the customer may choose one. The wished shop
 * first (or where it can be had when that shop never has it), then a sooner one.
 */

/* "Osaka 2027-01-13; Nagoya 2026-11-27". New reference. */
json_t *offer_words(const json_t *answer);
/* "3 days too late", "44 days to spare", "on the day" of the first shop against the day of need
 * (an integer or null); null where there is none. New reference. */
json_t *offer_against(const json_t *answer, const json_t *wanted_on, int64_t today);

/* {"class","sign","text"} of one day; null where there is no day of need. New reference. */
json_t *offer_day_against(int64_t day, const json_t *wanted_on);

/*
 * [{"shop", "remark" ("as wished", "sooner", …), "on" (day), "in" ("in 54 days"), "against":
 * {"class","sign","text"} or null, "quantity" ("4", "4 + 1"), "parts" ("1 on 2026-11-24, 2 on
 * 2027-01-13", or null), "from" (text or null), "chosen"}]: the first that is in time is chosen,
 * else the soonest. names: shop -> name as people know it; may be NULL. New reference.
 */
json_t *offer_shops(const json_t *answer, const json_t *from, const char *wished,
                    const json_t *wanted_on, const json_t *names, int64_t today);

/* The lines as they are to be kept at that shop: [{"sku", "quantity", "at": {...}}], and the day on
 * which all of them are there. New reference; NULL when the answer does not offer that shop. */
json_t *offer_lines(const json_t *answer, const char *shop, int64_t *ready_on);

#endif
