/* SPDX-License-Identifier: MIT */
#include "contrib/desk/work/chores.h"

#include "contrib/desk/intake/erase.h"
#include "contrib/desk/work/nightly.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "tests/lib/push.h"

#define NOW TEST_NOW

static struct desk_conf conf = {.retention = {.summaries_s = 100 * TM_DAY,
                                              .history_s = 100 * TM_DAY,
                                              .events_s = 30 * TM_DAY,
                                              .closed_s = 50 * TM_DAY,
                                              .audit_s = 90 * TM_DAY}};

static void push(const char *device, int64_t at)
{
  char time[TM_TIME_SIZE];
  json_t *s = test_sample("summary");
  json_object_set_new(json_object_get(s, "product"), "device", json_string(device));
  json_object_set_new(json_object_get(s, "period"), "from", json_null());
  json_object_set_new(json_object_get(s, "period"), "to", json_string(tm_time_format(time, at)));
  json_object_set_new(s, "generated_at", json_string(time));
  json_object_set_new(s, "history",
                      json_pack("[{s:o, s:i}]", "date", json_stringn(time, 10), "used_bytes", 5));
  assert_string_equal(test_send_one(test_seal(s, "summary"), at), "accepted");
}

static void of_two_desks_one_does_the_night(void **state)
{
  (void)state;
  struct lease a, b;
  lease_init(&a, "test");
  lease_init(&b, "test");
  assert_int_equal(lease_take(test_store, &a, 5, NOW, NULL), 1);
  assert_int_equal(lease_take(test_store, &b, 5, NOW, NULL), 0);
  assert_int_equal(lease_renew(test_store, &a, NOW + 600, NULL), 0);
  assert_int_equal(lease_take(test_store, &b, 5, NOW + LEASE_HELD_S + 1, NULL), 0);
  /* The first one is not heard of any more. */
  assert_int_equal(lease_take(test_store, &b, 5, NOW + 600 + LEASE_HELD_S, NULL), 1);
  assert_int_equal(lease_renew(test_store, &a, NOW + 600 + LEASE_HELD_S, NULL), -EBUSY);
  assert_int_equal(lease_finish(test_store, &b, 5, NOW, NULL), 0);
  assert_int_equal(lease_take(test_store, &a, 5, NOW, NULL), 0);
  assert_int_equal(lease_take(test_store, &a, 6, NOW, NULL), 1);
}

static void the_night_makes_all_devices_due_and_clears_up(void **state)
{
  (void)state;
  struct tm_error err = {0};
  push("old", NOW - 200 * TM_DAY);
  push("old", NOW - 150 * TM_DAY);
  push("old", NOW - 10 * TM_DAY);
  push("silent", NOW - 150 * TM_DAY);
  test_tell("UPDATE devices SET advise_at = NULL");
  test_tell("INSERT INTO requests (request, customer_id, site, purpose, asked_at, expires_at,"
            " document_json) VALUES ('R-1', 'C-1001', 'osaka-1', 'service', 1, 5, '{}')");
  test_tell(
      "INSERT INTO items (customer_id, device_id, key, action, state_at, open, state, first_at,"
      " last_at, advice_json) SELECT customer_id, id, device, 'grow', 1, 0, 'lost', 1, 1, '{}'"
      " FROM devices");
  test_tell(
      "INSERT INTO audit (at, by_name, what) VALUES (1, 'x', 'login'), (1795000000, 'y', 'login')");
  test_tell("INSERT INTO users (login, name, role, created_at) VALUES ('a@b', 'A', 'sales', 1)");
  test_tell("INSERT INTO sessions (id_sha256, user_id, created_at, used_at, expires_at, address)"
            " SELECT 'x', id, 1, 1, 5, '' FROM users");
  test_tell("INSERT INTO login_links (token_sha256, user_id, made_at, expires_at)"
            " SELECT 'x', id, 1, 5 FROM users");
  struct night night = {.store = test_store, .conf = &conf};
  lease_init(&night.lease, "nightly");
  if (nightly_run(&night, NOW, &err) != 1)
    fail_msg("%s", err.text);
  assert_int_equal(nightly_run(&night, NOW + 60, &err), 0);
  assert_rows("SELECT device, count(*) AS n FROM summaries s JOIN devices d ON d.id = s.device_id"
              " GROUP BY device ORDER BY device",
              "[{\"device\":\"old\",\"n\":1},{\"device\":\"silent\",\"n\":1}]");
  assert_rows("SELECT device, count(*) AS n FROM history s JOIN devices d ON d.id = s.device_id"
              " GROUP BY device ORDER BY device",
              "[{\"device\":\"old\",\"n\":1}]");
  assert_rows("SELECT count(*) AS n FROM events", "[{\"n\":1}]");
  assert_rows("SELECT count(*) AS n FROM items", "[{\"n\":0}]");
  assert_rows("SELECT by_name FROM audit", "[{\"by_name\":\"y\"}]");
  assert_rows("SELECT count(*) AS n FROM sessions", "[{\"n\":0}]");
  assert_rows("SELECT count(*) AS n FROM login_links", "[{\"n\":0}]");
  assert_rows("SELECT status FROM requests", "[{\"status\":\"expired\"}]");
  assert_rows("SELECT count(*) AS n FROM devices WHERE advise_at = 1795136400", "[{\"n\":2}]");
  /* The next night, once more. */
  assert_int_equal(nightly_run(&night, NOW + TM_DAY, &err), 1);
}

/* 100 days before 9 February is 1 November, in Tokyo from 15:00 of the 8th in UTC on. */
static void history_ends_on_a_day_of_the_desk_s_own_zone(void **state)
{
  (void)state;
  struct night night = {.store = test_store, .conf = &conf};
  int64_t last_of_october, ninth;
  assert_int_equal(tm_time_parse("2026-10-31T03:00:00Z", &last_of_october), 0);
  assert_int_equal(tm_time_parse("2027-02-08T16:30:00Z", &ninth), 0);
  lease_init(&night.lease, "nightly");
  push("border", last_of_october);
  assert_int_equal(tm_zone_use("Asia/Tokyo", NULL), 0);
  assert_int_equal(nightly_run(&night, ninth - TM_DAY, NULL), 1);
  assert_rows("SELECT month FROM history ORDER BY month", "[{\"month\":681},{\"month\":682}]");
  assert_int_equal(nightly_run(&night, ninth, NULL), 1);
  assert_rows("SELECT month FROM history ORDER BY month", "[{\"month\":682}]");
  assert_int_equal(tm_zone_use("UTC", NULL), 0);
}

/* The bytes of the store's files that hold this text; PostgreSQL's are not ours to read. */
static int files_with(const char *text)
{
  int found = 0;
  DIR *d = opendir(test_folder);
  struct dirent *entry;
  while (getenv("STORE_URL") == NULL && d != NULL && (entry = readdir(d)) != NULL) {
    char path[400];
    struct tm_buf b = TM_BUF_INIT(64 << 20);
    snprintf(path, sizeof(path), "%s/%s", test_folder, entry->d_name);
    if (entry->d_name[0] != '.' && strstr(entry->d_name, "-shm") == NULL &&
        tm_file_read(path, &b, NULL) == 0 && b.len > 0 &&
        memmem(b.ptr, b.len, text, strlen(text)) != NULL)
      found++;
    tm_buf_release(&b);
  }
  if (d != NULL)
    closedir(d);
  return found;
}

static void what_a_site_wants_erased_is_gone(void **state)
{
  (void)state;
  struct tm_error err = {0};
  push("planted-name", NOW);
  push("other", NOW);
  json_t *request = test_sample("delete-request");
  json_object_set_new(json_object_get(request, "product"), "device", json_string("planted-name"));
  assert_string_equal(test_send_one(test_seal(request, "delete-request"), NOW), "accepted");
  assert_int_equal(erase_due(test_store, false, NOW, &err), 0);
  assert_rows("SELECT count(*) AS n FROM devices WHERE device = 'planted-name'", "[{\"n\":0}]");
  assert_rows("SELECT count(*) AS n FROM devices WHERE device = 'other'", "[{\"n\":1}]");
  assert_rows("SELECT extent, asked_by, done_at, rows_json FROM erasures",
              "[{\"extent\":\"device\",\"asked_by\":\"Hanako Sato\",\"done_at\":1795136400,"
              "\"rows\":{\"devices\":1}}]");
  assert_int_equal(files_with("planted-name"), 0);
  assert_rows("SELECT count(*) AS n FROM tasks", "[{\"n\":0}]");
}

static int erase(struct db *db, void *arg, struct tm_error *err)
{
  return erase_now(db, arg, err);
}

static void a_customer_goes_with_everything(void **state)
{
  (void)state;
  struct erasure e = {.customer = "C-1001", .by = "admin", .now = NOW};
  char expected[200], hash[TM_SHA256_HEX];
  assert_true(getenv("STORE_URL") != NULL || files_with("C-1001") > 0);
  test_tell("INSERT INTO inquiries (inquiry, customer_id, by_name, asked_at, lines_json)"
            " VALUES ('I-1', 'C-1001', 'x', 1, '[]')");
  assert_int_equal(store_write(test_store, &db_everyone, erase, &e, NULL), 0);
  assert_int_equal(store_tidy(test_store, NULL), 0);
  assert_int_equal(files_with("C-1001"), 0);
  assert_int_equal(files_with("osaka-1"), 0);
  assert_rows("SELECT count(*) AS n FROM inquiries", "[{\"n\":0}]");
  snprintf(expected, sizeof(expected), "[{\"receipt\":\"%s\",\"subject_sha256\":\"%s\"}]",
           e.receipt, tm_sha256_hex(hash, "C-1001", 6));
  assert_rows("SELECT receipt, subject_sha256 FROM erasures WHERE extent = 'customer'", expected);
  assert_int_equal(store_write(test_store, &db_everyone, erase, &e, NULL), -ENOENT);
}

/* What the CRM is told is looked for there first: two at once would both find nothing. */
static void of_two_desks_one_tells_the_crm(void **state)
{
  (void)state;
  struct lease other;
  struct desk_conf told = conf;
  const struct desk desk = {.store = test_store, .conf = &told};
  told.factory.tryton = true;
  told.factory.url = "http://127.0.0.1:1/tryton";
  told.factory.user = "tidemark";
  told.factory.password_file = "/dev/null";
  test_tell("DELETE FROM crm_jobs");
  test_tell("INSERT INTO crm_jobs (subject, what, arg_json, made_at, due_at)"
            " VALUES ('C-7', 'change', '[]', 0, 0)");
  lease_init(&other, "crm");
  assert_int_equal(lease_take(test_store, &other, 1, NOW + 6 * TM_DAY, NULL), 1);
  assert_int_equal(chores_once(&desk, NOW + 6 * TM_DAY, NULL), 0);
  assert_rows("SELECT tries FROM crm_jobs", "[{\"tries\":0}]");
  assert_int_equal(lease_release(test_store, &other, NULL), 0);
  assert_int_equal(chores_once(&desk, NOW + 6 * TM_DAY, NULL), 0);
  assert_rows("SELECT tries FROM crm_jobs", "[{\"tries\":1}]");
  /* ... and is done with it. */
  assert_int_equal(lease_take(test_store, &other, 1, NOW + 6 * TM_DAY, NULL), 1);
  assert_int_equal(lease_release(test_store, &other, NULL), 0);
  test_tell("DELETE FROM crm_jobs");
}

static void the_chores_end_when_told_to(void **state)
{
  (void)state;
  const struct desk desk = {.conf = &conf, .store = test_store};
  struct chores *c = NULL;
  assert_int_equal(chores_start(&c, &desk, NULL), 0);
  chores_end(c);
  assert_int_equal(chores_once(&desk, NOW + 5 * TM_DAY, NULL), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(of_two_desks_one_does_the_night),
      cmocka_unit_test(the_night_makes_all_devices_due_and_clears_up),
      cmocka_unit_test(history_ends_on_a_day_of_the_desk_s_own_zone),
      cmocka_unit_test(what_a_site_wants_erased_is_gone),
      cmocka_unit_test(a_customer_goes_with_everything),
      cmocka_unit_test(of_two_desks_one_tells_the_crm),
      cmocka_unit_test(the_chores_end_when_told_to),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, test_site_open, test_store_close);
}
