/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/intake.h"

#include "contrib/desk/intake/event.h"
#include "contrib/desk/intake/requests.h"
#include "contrib/desk/store/history.h"

#include <errno.h>
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

static json_t *day(const char *date, double used)
{
  return json_pack("{s:s, s:f, s:f, s:i}", "date", date, "capacity_bytes", 1e14, "used_bytes", used,
                   "covered", 1);
}

/* A summary of a device whose period ends then, with these days. */
static json_t *summary_of(const char *device, const char *until, json_t *history)
{
  json_t *s = test_sample("summary");
  json_object_set_new(json_object_get(s, "product"), "device", json_string(device));
  json_object_set_new(json_object_get(s, "period"), "from", json_null());
  json_object_set_new(json_object_get(s, "period"), "to", json_string(until));
  json_object_set_new(s, "generated_at", json_string(until));
  json_object_set_new(s, "history", history);
  return s;
}

/* --- tests -------------------------------------------------------------------------------- */

static void a_summary_is_kept_byte_for_byte(void **state)
{
  (void)state;
  char *body = test_seal(test_sample("summary"), "summary"), hash[TM_SHA256_HEX], expected[400];
  size_t len = strlen(body);
  tm_sha256_hex(hash, body, len);
  const char *data = strstr(body, "\"data\":") + 7;
  snprintf(expected, sizeof(expected),
           "[{\"sha256\":\"%s\",\"size\":%zu,\"data_at\":%zu,\"data_len\":%zu,\"arrived_at\":%lld,"
           "\"period_to\":1795133100,\"encoding\":\"zstd-1\"}]",
           hash, len, (size_t)(data - body), len - (size_t)(data - body) - 1, (long long)NOW);
  assert_string_equal(test_send_one(body, NOW), "accepted");
  assert_rows("SELECT sha256, size, data_at, data_len, arrived_at, period_to, encoding"
              " FROM summaries",
              expected);
  assert_rows("SELECT customer_id, site, host, device, kind, model, serial, sold_on, used_fraction,"
              " fill_middle, consent, last_day, advise_at IS NOT NULL AS advise FROM devices",
              "[{\"customer_id\":\"C-1001\",\"site\":\"osaka-1\",\"host\":\"nas-gw.example.com\","
              "\"device\":\"array-01\",\"kind\":\"disk_array\",\"model\":\"DS-200\",\"serial\":"
              "\"DS200-000123\",\"sold_on\":20179,\"used_fraction\":0.81000000000000005,"
              "\"fill_middle\":20860,\"consent\":7,\"last_day\":20776,\"advise\":1}]");
  assert_rows("SELECT last_seen_at, last_summary_at FROM sites",
              "[{\"last_seen_at\":1795136400,\"last_summary_at\":1795136400}]");
}

static void the_same_again_is_a_duplicate_and_counted_once(void **state)
{
  (void)state;
  assert_string_equal(test_send_one(test_seal(test_sample("summary"), "summary"), NOW + 7 * TM_DAY),
                      "duplicate");
  assert_rows("SELECT count(*) AS n FROM summaries", "[{\"n\":1}]");
  char *changed = test_seal(test_sample("summary"), "summary");
  *strstr(changed, "Hanako") = 'J'; /* other bytes under the same id */
  assert_string_equal(test_send_one(changed, NOW),
                      "refused id: other bytes came under this id before");
  assert_rows(
      "SELECT field, reason, times FROM quarantine",
      "[{\"field\":\"id\",\"reason\":\"other bytes came under this id before\",\"times\":1}]");
}

struct history_question {
  const char *device;
  json_t *days;
};

static int ask_history(struct db *db, void *arg, struct tm_error *err)
{
  struct history_question *q = arg;
  struct db_stmt *stmt;
  int rc = db_prepare(db, "SELECT id FROM devices WHERE device = ?1", &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, q->device);
  assert_int_equal(db_step(stmt, err), 1);
  int64_t id = db_int(stmt, 0);
  db_done(stmt);
  q->days = history_json(db, id, 20780, 1000, 1, err);
  return q->days != NULL ? 0 : -EIO;
}

static json_t *history_of(const char *device)
{
  struct history_question q = {.device = device};
  assert_int_equal(store_read(test_store, &db_everyone, ask_history, &q, NULL), 0);
  return q.days;
}

static void what_comes_late_is_put_where_it_belongs(void **state)
{
  (void)state;
  json_t *newer = json_pack("[o, o]", day("2026-11-02", 5e13), day("2026-11-01", 4e13));
  json_t *older = json_pack("[o, o]", day("2026-10-30", 2e13), day("2026-10-31", 3e13));
  assert_string_equal(
      test_send_one(test_seal(summary_of("late", "2026-11-03T00:00:00Z", newer), "summary"), NOW),
      "accepted");
  assert_string_equal(
      test_send_one(test_seal(summary_of("late", "2026-11-01T00:00:00Z", older), "summary"),
                    NOW + TM_DAY),
      "accepted");
  json_t *days = history_of("late");
  char *text = json_dumps(days, JSON_COMPACT);
  assert_string_equal(
      text,
      "[{\"date\":\"2026-10-30\",\"capacity_bytes\":100000000000000,\"used_bytes\":20000000000000,"
      "\"covered\":1,\"arrived_on\":\"2026-11-21\"},{\"date\":\"2026-10-31\",\"capacity_bytes\":"
      "100000000000000,\"used_bytes\":30000000000000,\"covered\":1,\"arrived_on\":\"2026-11-21\"},{"
      "\"date\":\"2026-11-01\",\"capacity_bytes\":100000000000000,\"used_bytes\":40000000000000,"
      "\"covered\":1,\"arrived_on\":\"2026-11-20\"},{\"date\":\"2026-11-02\",\"capacity_bytes\":"
      "100000000000000,\"used_bytes\":50000000000000,\"covered\":1,\"arrived_on\":\"2026-11-20\"}"
      "]");
  free(text);
  json_decref(days);
  /* The newest summary is still the one that is shown. */
  assert_rows("SELECT period_to FROM devices WHERE device = 'late'",
              "[{\"period_to\":1793664000}]");
}

static void the_first_push_brings_all_days(void **state)
{
  (void)state;
  json_t *h = test_sample("history");
  json_t *list = json_array();
  for (int64_t d = 20000; d < 20770; d++) {
    char date[TM_DATE_SIZE];
    json_array_append_new(list, day(tm_date_format_days(date, d), 1e11 * (double)(d - 20000)));
  }
  json_object_set_new(h, "history", list);
  json_object_set_new(json_object_get(h, "product"), "device", json_string("all"));
  assert_string_equal(test_send_one(test_seal(h, "history"), NOW), "accepted");
  json_t *days = history_of("all");
  assert_int_equal(json_array_size(days), 770);
  json_decref(days);
  assert_rows("SELECT kind, summary_id, last_day FROM devices WHERE device = 'all'",
              "[{\"kind\":null,\"summary_id\":null,\"last_day\":20769}]");
}

static void the_good_ones_of_a_batch_are_kept(void **state)
{
  (void)state;
  struct tm_buf b = TM_BUF_INIT(1 << 20);
  char *good = test_seal(summary_of("good", "2026-11-19T00:00:00Z", json_array()), "summary");
  json_t *wrong = summary_of("bad", "2026-11-19T00:00:00Z", json_array());
  json_object_set_new(json_object_get(wrong, "status"), "used_bytes", json_string("much"));
  char *bad = test_seal(wrong, "summary");
  char *last = test_seal(summary_of("last", "2026-11-19T00:00:00Z", json_array()), "summary");
  tm_buf_printf(&b, " [ %s ,\n%s,%s,{\"id\":\"broken\", \"data\": } ,%s]\n", good, bad, last, good);
  json_t *results = test_send(tm_buf_take(&b), true, NOW);
  /* The broken one has no id that could be read: it is not mentioned, and tried alone. */
  assert_int_equal(json_array_size(results), 4);
  static const char *const status[] = {"accepted", "refused", "accepted", "duplicate"};
  for (size_t i = 0; i < 4; i++)
    assert_string_equal(tm_json_get_string(json_array_get(results, i), "status"), status[i]);
  assert_string_equal(tm_json_get_string(json_array_get(results, 1), "field"), "status.used_bytes");
  assert_string_equal(tm_json_get_string(json_array_get(results, 1), "error"),
                      "a number is wanted");
  json_decref(results);
  assert_rows("SELECT device FROM devices WHERE device IN ('good', 'bad', 'last') ORDER BY device",
              "[{\"device\":\"good\"},{\"device\":\"last\"}]");
  free(good);
  free(bad);
  free(last);
}

/* A change to the sample summary, and what comes of it. */
static const struct {
  const char *path, *value, *expected;
} refusals[] = {
    {"customer.id", "\"C-9\"", "refused customer.id: another customer than the credential's"},
    {"customer.site", "\"tokyo\"", "refused customer.site: another site than the credential's"},
    {"generated_at", "\"2026-11-30T00:00:00Z\"", "refused generated_at: in the future"},
    {"generated_at", "\"2026-13-30T00:00:00Z\"", "refused generated_at: not a time"},
    {"period.from", "\"2026-11-20T00:30:00Z\"", "refused period.from: later than its end"},
    {"status.used_bytes", "-1", "refused status.used_bytes: less than 0"},
    {"status.used_bytes", "1e15", "refused status.used_bytes: more than twice what there is"},
    {"product.kind", "\"toaster\"", "refused product.kind: none of the values that are allowed"},
    {"product.device", "null", "refused product.device: text is wanted"},
    {"history", "[{\"date\":\"2026-02-30\"}]", "refused history[0]: not a date"},
    {"history", "[{\"date\":\"2026-12-24\"}]", "refused history[0]: in the future"},
    {"history", "[{\"date\":\"2026-11-01\",\"used_bytes\":-5}]",
     "refused history[0].used_bytes: less than 0"},
    {"schema", "\"tidemark.summary/2\"", "refused schema: 'tidemark.summary/1' is wanted"},
    {"product.unknown_member", "{\"a\":1}", "accepted"},
};

static void what_is_wrong_is_refused_with_its_field(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
    json_t *s = test_sample("summary"), *at = s;
    char path[64], *dot;
    snprintf(path, sizeof(path), "%s", refusals[i].path);
    json_object_set_new(json_object_get(s, "product"), "firmware", json_integer(0));
    json_object_set_new(json_object_get(s, "product"), "firmware", json_string(refusals[i].value));
    if ((dot = strchr(path, '.')) != NULL) {
      *dot = '\0';
      at = json_object_get(s, path);
    }
    json_object_set_new(at, dot != NULL ? dot + 1 : path,
                        json_loads(refusals[i].value, JSON_DECODE_ANY, NULL));
    const char *seen = test_send_one(test_seal(s, "summary"), NOW);
    if (strcmp(seen, refusals[i].expected) != 0)
      fail_msg("%s = %s: want '%s', got '%s'", refusals[i].path, refusals[i].value,
               refusals[i].expected, seen);
  }
  assert_rows("SELECT kind, subject, times FROM alarms",
              "[{\"kind\":\"foreign\",\"subject\":\"C-1001/osaka-1\",\"times\":2}]");
}

static void what_is_no_event_is_told(void **state)
{
  (void)state;
  static const struct {
    const char *body;
    bool batch;
    int code;
  } rows[] = {
      {"", true, 0},
      {"x", false, -EBADMSG},
      {"{}", false, -EBADMSG},
      {"{\"id\":\"a b\"}", false, -EBADMSG},
      {"{\"specversion\":\"1.0\"}", false, -EBADMSG},
      {"{}", true, -EBADMSG},
      {"[", true, -EBADMSG},
      {"[{}", true, -EBADMSG},
      {"[{},]", true, -EBADMSG},
      {"[{}] x", true, -EBADMSG},
      {"[]", true, -EBADMSG},
      {"[{\"id\":\"\\", true, -EBADMSG},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct tm_buf receipt = TM_BUF_INIT(1 << 16);
    struct intake_counts counts = {0};
    struct tm_error err = {0};
    const struct intake_message m = {
        .body = rows[i].body, .len = strlen(rows[i].body), .batch = rows[i].batch};
    int rc = intake_take(test_store, &test_site, &m, NOW, &receipt, &counts, &err);
    if (rc != rows[i].code)
      fail_msg("%s: want %d, got %d %s", rows[i].body, rows[i].code, rc, err.text);
    tm_buf_release(&receipt);
  }
  assert_string_equal(test_send_one(strdup("{\"id\":\"e-1\",\"specversion\":\"0.3\"}"), NOW),
                      "refused specversion: '1.0' is wanted");
  assert_string_equal(test_send_one(strdup("{\"id\":\"e-2\",\"specversion\":\"1.0\"}"), NOW),
                      "refused data: an object is wanted");
  assert_string_equal(
      test_send_one(strdup("{\"id\":\"e-3\",\"specversion\":\"1.0\",\"data\":{},\"type\":\"x\"}"),
                    NOW),
      "refused type: not known here");
}

static void a_signature_is_checked_with_its_time(void **state)
{
  (void)state;
  struct tm_secret secret;
  char signature[TM_SIGNATURE_SIZE];
  static const char body[] = "{}";
  assert_int_equal(tm_secret_parse(&secret, test_site.secret, NULL), 0);
  tm_sign(signature, &secret, "k", NOW, body, 2);
  struct intake_message m = {
      .id = "k", .timestamp = "1795136400", .signature = signature, .body = body, .len = 2};
  struct tm_error err = {0};
  assert_int_equal(intake_verify(&m, &test_site, NOW + 300, true, &err), 0);
  assert_int_equal(intake_verify(&m, &test_site, NOW + 301, true, &err), -ETIME);
  assert_string_equal(err.text, "the timestamp is 301 s off");
  assert_int_equal(intake_verify(&m, &test_site, NOW - 301, true, &err), -ETIME);
  assert_int_equal(intake_verify(&m, &test_site, NOW + TM_DAY, false, &err), 0);
  m.id = "l";
  assert_int_equal(intake_verify(&m, &test_site, NOW, true, &err), -EACCES);
  m.id = "k";
  m.timestamp = "1795136401";
  assert_int_equal(intake_verify(&m, &test_site, NOW, true, &err), -EACCES);
  m.timestamp = NULL;
  assert_int_equal(intake_verify(&m, &test_site, NOW, true, &err), -EACCES);
}

static void data_items_are_asked_for_until_they_are_answered(void **state)
{
  (void)state;
  test_tell("INSERT INTO requests (request, customer_id, site, purpose, asked_at, expires_at,"
            " document_json) VALUES ('R-88121', 'C-1001', 'osaka-1', 'service', 1, 1795200000,"
            " '{\"id\":\"R-88121\",\"host\":\"h\",\"device\":\"d\",\"items\":[\"a\"]}')");
  struct tm_buf receipt = TM_BUF_INIT(1 << 16);
  struct intake_counts counts = {0};
  const struct intake_message poll = {.body = ""};
  assert_int_equal(intake_take(test_store, &test_site, &poll, NOW, &receipt, &counts, NULL), 0);
  assert_string_equal(receipt.ptr,
                      "{\"schema\":\"tidemark.receipt/1\",\"results\":[],\"requests\":[{\"id\":"
                      "\"R-88121\",\"host\":\"h\",\"device\":\"d\",\"items\":[\"a\"]}]}");
  json_t *values = test_sample("item-values");
  json_t *customer = json_object_get(values, "customer");
  json_object_set_new(customer, "id", json_string("C-1001"));
  json_object_set_new(customer, "site", json_string("osaka-1"));
  assert_string_equal(test_send_one(test_seal(values, "item-values"), NOW), "accepted");
  assert_rows(
      "SELECT status, answered_at, first_sent_at FROM requests",
      "[{\"status\":\"answered\",\"answered_at\":1795136400,\"first_sent_at\":1795136400}]");
  assert_rows("SELECT request, status FROM item_values",
              "[{\"request\":\"R-88121\",\"status\":\"answered\"}]");
  tm_buf_reset(&receipt);
  assert_int_equal(intake_take(test_store, &test_site, &poll, NOW, &receipt, &counts, NULL), 0);
  assert_non_null(strstr(receipt.ptr, "\"requests\":[]"));
  tm_buf_release(&receipt);
}

static int use(struct db *db, void *arg, struct tm_error *err)
{
  return credential_used(db, arg, NOW, err);
}

static void the_first_use_of_new_credentials_ends_the_old_ones(void **state)
{
  (void)state;
  test_tell(
      "INSERT INTO credentials (customer_id, site, target, token_prefix, token_sha256, secret,"
      " created_at) VALUES ('C-1001', 'osaka-1', 'crm', 'tdm_',"
      " 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'whsec_x', 2)");
  struct credential c;
  assert_int_equal(credential_by_token(test_store, "abd", NOW, &c, NULL), -ENOENT);
  assert_int_equal(credential_by_token(test_store, "abc", NOW, &c, NULL), 0);
  assert_string_equal(c.customer, "C-1001");
  assert_string_equal(c.site, "osaka-1");
  assert_string_equal(c.secret, "whsec_x");
  assert_int_equal(credential_by_id(test_store, 1, NOW, &c, NULL), 0);
  assert_int_equal(credential_by_token(test_store, "abc", NOW, &c, NULL), 0);
  assert_int_equal(store_write(test_store, &db_everyone, use, &c, NULL), 0);
  assert_int_equal(credential_by_id(test_store, 1, NOW + 299, &c, NULL), 0);
  assert_int_equal(credential_by_id(test_store, 1, NOW + 300, &c, NULL), -ENOENT);
  assert_int_equal(credential_by_id(test_store, 2, NOW + 300, &c, NULL), 0);
  test_tell("UPDATE credentials SET revoked_at = 5 WHERE id = 2");
  assert_int_equal(credential_by_id(test_store, 2, NOW + 300, &c, NULL), -ENOENT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_summary_is_kept_byte_for_byte),
      cmocka_unit_test(the_same_again_is_a_duplicate_and_counted_once),
      cmocka_unit_test(what_comes_late_is_put_where_it_belongs),
      cmocka_unit_test(the_first_push_brings_all_days),
      cmocka_unit_test(the_good_ones_of_a_batch_are_kept),
      cmocka_unit_test(what_is_wrong_is_refused_with_its_field),
      cmocka_unit_test(what_is_no_event_is_told),
      cmocka_unit_test(a_signature_is_checked_with_its_time),
      cmocka_unit_test(data_items_are_asked_for_until_they_are_answered),
      cmocka_unit_test(the_first_use_of_new_credentials_ends_the_old_ones),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, test_site_open, test_store_close);
}
