/* SPDX-License-Identifier: MIT */
#include "contrib/desk/advice/advise.h"

#include "common/file.h"
#include "contrib/desk/advice/items.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/push.h"

#define NOW TEST_NOW
#define KEY "C-1001/osaka-1/nas-gw.example.com/array-01/grow/"

static struct adviser *adviser;

/* The sample of a device that is busy no more, and that fills up, or does not; at this hour, with
 * other figures of its status. */
static void push(int64_t at, bool fills, const char *status, const char *without)
{
  size_t i;
  json_t *day;
  char time[TM_TIME_SIZE];
  json_t *s = test_sample("summary");
  json_t *more = json_loads(status, 0, NULL);
  assert_non_null(more);
  json_object_update(json_object_get(s, "status"), more);
  json_decref(more);
  json_object_set_new(json_object_get(s, "status"), "transfers", json_null());
  json_array_foreach(json_object_get(s, "history"), i, day) json_object_del(day, "transfers_max");
  json_object_del(json_object_get(s, "product"), "software");
  if (!fills)
    json_object_set_new(s, "forecast", json_null());
  json_object_del(json_object_get(s, "consent"), without);
  json_object_set_new(json_object_get(s, "period"), "to", json_string(tm_time_format(time, at)));
  json_object_set_new(s, "generated_at", json_string(time));
  assert_string_equal(test_send_one(test_seal(s, "summary"), at), "accepted");
}

static int advise(int64_t now)
{
  struct tm_error err = {0};
  int done = 0;
  if (adviser_work(adviser, now, 1000, &done, &err) < 0)
    fail_msg("%s", err.text);
  return done;
}

static int set_up(void **state)
{
  if (test_site_open(state) != 0)
    return -1;
  adviser = adviser_new(test_store);
  return adviser != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
  adviser_free(adviser);
  return test_store_close(state);
}

static int add_catalogue(struct db *db, void *arg, struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(1 << 20);
  struct db_stmt *stmt;
  (void)arg;
  assert_int_equal(tm_file_read("contrib/schema/samples/catalogue.json", &b, err), 0);
  assert_int_equal(db_prepare(db,
                              "INSERT INTO catalogues (sha256, imported_at, document)"
                              " VALUES ('x', 1, ?1)",
                              &stmt, err),
                   0);
  db_bind_blob(stmt, 1, b.ptr, b.len);
  tm_buf_release(&b);
  return db_exec(stmt, err);
}

/* --- tests -------------------------------------------------------------------------------- */

static void without_a_catalogue_it_stays_due(void **state)
{
  (void)state;
  push(NOW, true, "{}", "none");
  assert_int_equal(advise(NOW), 0);
  assert_rows("SELECT advise_at FROM devices", "[{\"advise_at\":1795136400}]");
  assert_int_equal(store_write(test_store, &db_everyone, add_catalogue, NULL, NULL), 0);
}

static void a_need_becomes_one_item(void **state)
{
  (void)state;
  assert_int_equal(advise(NOW), 1);
  assert_int_equal(advise(NOW), 0);
  assert_rows("SELECT key, action, state, open, kind, region, price, currency, probability,"
              " order_by, last_at, version FROM items",
              "[{\"key\":\"" KEY "2025-04-01\",\"action\":\"grow\",\"state\":\"new\",\"open\":1,"
              "\"kind\":\"disk_array\",\"region\":\"west\",\"price\":\"8800000\",\"currency\":"
              "\"JPY\",\"probability\":0.98999999999999999,\"order_by\":20792,\"last_at\":"
              "1795136400,\"version\":1}]");
  assert_rows("SELECT advise_at, advised_at, advice_error FROM devices",
              "[{\"advise_at\":null,\"advised_at\":1795136400,\"advice_error\":null}]");
}

static void the_same_need_tomorrow_is_the_same_item(void **state)
{
  (void)state;
  push(NOW + TM_DAY, true, "{}", "none");
  assert_int_equal(advise(NOW + TM_DAY), 1);
  assert_rows("SELECT count(*) AS n, max(last_at) AS at FROM items",
              "[{\"n\":1,\"at\":1795222800}]");
  struct tm_error err = {0};
  assert_int_equal(advise_all(test_store, NOW + 2 * TM_DAY, &err), 0);
  assert_int_equal(advise(NOW + 2 * TM_DAY), 1);
  assert_rows("SELECT count(*) AS n, max(last_at) AS at FROM items",
              "[{\"n\":1,\"at\":1795309200}]");
}

static void a_need_that_went_is_gone_and_one_that_is_back_returns(void **state)
{
  (void)state;
  push(NOW + 3 * TM_DAY, false, "{\"used_bytes\": 1000}", "none");
  test_tell("UPDATE items SET state = 'contacted'");
  assert_int_equal(advise(NOW + 3 * TM_DAY), 1);
  assert_rows("SELECT state, open, closed_reason FROM items",
              "[{\"state\":\"gone\",\"open\":0,\"closed_reason\":\"not needed any more\"}]");
  push(NOW + 4 * TM_DAY, true, "{}", "none");
  assert_int_equal(advise(NOW + 4 * TM_DAY), 1);
  assert_rows("SELECT state, open, returned, closed_reason FROM items",
              "[{\"state\":\"new\",\"open\":1,\"returned\":1,\"closed_reason\":null}]");
  assert_rows(
      "SELECT what, from_state, to_state FROM item_events ORDER BY id",
      "[{\"what\":\"advice\",\"from_state\":null,\"to_state\":\"new\"},{\"what\":\"closed\","
      "\"from_state\":\"contacted\",\"to_state\":\"gone\"},{\"what\":\"returned\","
      "\"from_state\":\"gone\",\"to_state\":\"new\"}]");
}

static void what_was_ordered_stays_open_without_advice(void **state)
{
  (void)state;
  test_tell("UPDATE items SET state = 'ordered'");
  push(NOW + 5 * TM_DAY, false, "{\"used_bytes\": 1000}", "none");
  assert_int_equal(advise(NOW + 5 * TM_DAY), 1);
  assert_rows("SELECT state, open, advised FROM items",
              "[{\"state\":\"ordered\",\"open\":1,\"advised\":0}]");
}

static void an_expansion_that_is_seen_installs_it(void **state)
{
  (void)state;
  push(NOW + 6 * TM_DAY, false,
       "{\"capacity_bytes\": 1e15, \"used_bytes\": 8.2e13,"
       " \"capacity_changed_on\": \"2026-11-25\"}",
       "none");
  assert_int_equal(advise(NOW + 6 * TM_DAY), 1);
  assert_rows("SELECT state, open, closed_reason FROM items WHERE key = '" KEY "2025-04-01'",
              "[{\"state\":\"installed\",\"open\":0,"
              "\"closed_reason\":\"expansion seen on 2026-11-25\"}]");
}

static void a_new_need_after_it_is_a_new_item(void **state)
{
  (void)state;
  push(NOW + 7 * TM_DAY, true,
       "{\"capacity_bytes\": 1.1e14, \"used_bytes\": 1.09e14,"
       " \"capacity_changed_on\": \"2026-11-25\"}",
       "none");
  assert_int_equal(advise(NOW + 7 * TM_DAY), 1);
  assert_rows("SELECT key, state FROM items ORDER BY id",
              "[{\"key\":\"" KEY "2025-04-01\",\"state\":\"installed\"},{\"key\":\"" KEY
              "2026-11-25\",\"state\":\"new\"}]");
}

static void what_a_site_shares_no_more_is_not_advised_on(void **state)
{
  (void)state;
  push(NOW + 8 * TM_DAY, true,
       "{\"capacity_bytes\": 1.1e14, \"used_bytes\": 1.09e14,"
       " \"capacity_changed_on\": \"2026-11-25\"}",
       "sales");
  assert_int_equal(advise(NOW + 8 * TM_DAY), 1);
  assert_rows("SELECT state, closed_reason FROM items WHERE key = '" KEY "2026-11-25'",
              "[{\"state\":\"gone\",\"closed_reason\":\"the site shares it no more\"}]");
}

static void a_lost_need_is_left_alone_for_its_time(void **state)
{
  (void)state;
  test_tell("UPDATE items SET state = 'lost', open = 0, state_at = 1795827600");
  int64_t later = NOW + 100 * TM_DAY;
  static const char status[] = "{\"capacity_bytes\": 1.1e14, \"used_bytes\": 1.09e14,"
                               " \"transfers\": null, \"capacity_changed_on\": \"2026-11-25\"}";
  push(later, true, status, "none");
  assert_int_equal(advise(later), 1);
  assert_rows("SELECT key, state FROM items WHERE open = 1 AND action = 'grow'", "[]");
  later = NOW + 200 * TM_DAY;
  push(later, true, status, "none");
  assert_int_equal(advise(later), 1);
  assert_rows("SELECT key, returned FROM items WHERE open = 1 AND action = 'grow'",
              "[{\"key\":\"" KEY "2026-11-25\",\"returned\":1}]");
}

static void money_chance_and_haste_make_the_rank(void **state)
{
  (void)state;
  assert_true(item_urgency(100, true, 100) == 1);
  assert_true(item_urgency(130, true, 100) == 0.5);
  assert_true(item_urgency(10, true, 100) == 2);
  assert_true(item_urgency(-1000, true, 100) == 2);
  assert_true(item_urgency(0, false, 100) == 0.1);
  assert_true(item_weight(1000, 0.5, 1) == 500);
  assert_true(item_weight(NAN, 0.5, 1) == 0);
  assert_true(item_weight(1000, NAN, 1) == 500);
}

struct weighing {
  int64_t now, from, after; /* from stays, for it may be done again */
};

static int weigh(struct db *db, void *arg, struct tm_error *err)
{
  struct weighing *w = arg;
  w->after = w->from;
  return items_weigh(db, w->now, 1, &w->after, err);
}

static int weigh_all(int64_t now)
{
  struct weighing w = {.now = now};
  int rounds = 0;
  for (; w.from != INT64_MAX; rounds++, w.from = w.after)
    assert_int_equal(store_write(test_store, &db_everyone, weigh, &w, NULL), 0);
  return rounds;
}

static void another_day_weighs_items_anew_and_wakes_them(void **state)
{
  (void)state;
  test_tell("DELETE FROM items WHERE action <> 'grow'");
  test_tell("UPDATE items SET state = 'snoozed', open = 1, snoozed_until = 5, weight = 1,"
            " order_by = 20778");
  assert_int_equal(weigh_all(NOW + 201 * TM_DAY), 3);
  assert_rows("SELECT count(*) AS n FROM items WHERE state = 'new' AND urgency = 2 AND"
              " weight = 2 * money * probability AND weighed_on = 20978",
              "[{\"n\":2}]");
}

/* In Tokyo the 21st (day 20778) begins when it is 15:00 of the 20th in UTC. */
static void a_day_is_one_of_the_desk_s_own_zone(void **state)
{
  (void)state;
  const int64_t midnight = 20777 * TM_DAY + 15 * 3600;
  test_tell("UPDATE items SET state = 'snoozed', open = 1, snoozed_until = 20778 * 86400,"
            " order_by = 20778");
  assert_int_equal(tm_zone_use("Asia/Tokyo", NULL), 0);
  weigh_all(midnight - 1800);
  assert_rows("SELECT DISTINCT state, weighed_on FROM items",
              "[{\"state\":\"snoozed\",\"weighed_on\":20777}]");
  weigh_all(midnight + 1800);
  assert_rows("SELECT count(*) AS n FROM items WHERE state = 'new' AND weighed_on = 20778"
              " AND urgency = 1",
              "[{\"n\":2}]");
  test_tell("DELETE FROM items");
  push(midnight + 1800, true, "{}", "none");
  assert_int_equal(advise(midnight + 1800), 1);
  assert_rows("SELECT DISTINCT weighed_on FROM items", "[{\"weighed_on\":20778}]");
  assert_int_equal(tm_zone_use("UTC", NULL), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_catalogue_it_stays_due),
      cmocka_unit_test(a_need_becomes_one_item),
      cmocka_unit_test(the_same_need_tomorrow_is_the_same_item),
      cmocka_unit_test(a_need_that_went_is_gone_and_one_that_is_back_returns),
      cmocka_unit_test(what_was_ordered_stays_open_without_advice),
      cmocka_unit_test(an_expansion_that_is_seen_installs_it),
      cmocka_unit_test(a_new_need_after_it_is_a_new_item),
      cmocka_unit_test(what_a_site_shares_no_more_is_not_advised_on),
      cmocka_unit_test(a_lost_need_is_left_alone_for_its_time),
      cmocka_unit_test(money_chance_and_haste_make_the_rank),
      cmocka_unit_test(another_day_weighs_items_anew_and_wakes_them),
      cmocka_unit_test(a_day_is_one_of_the_desk_s_own_zone),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
