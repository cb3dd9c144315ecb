/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_PUSH_H
#define TM_TESTS_PUSH_H

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/intake/intake.h"
#include "exporters/envelope.h"
#include "tests/lib/store.h"

/* A site of the unit tests, and what it pushes into test_store. After cmocka.h. */

#define TEST_NOW INT64_C(1795136400) /* 2026-11-20T01:00:00Z */

static const struct credential test_site = {.id = 1,
                                            .customer = "C-1001",
                                            .site = "osaka-1",
                                            .secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};

/* The store with this customer, site and credential in it. */
static inline int test_site_open(void **state)
{
  if (test_store_open(state) != 0)
    return -1;
  test_tell("INSERT INTO customers (customer_id, name, region, created_at)"
            " VALUES ('C-1001', 'Example', 'west', 1)");
  test_tell("INSERT INTO sites (customer_id, site, created_at) VALUES ('C-1001', 'osaka-1', 1)");
  test_tell(
      "INSERT INTO credentials (customer_id, site, target, token_prefix, token_sha256, secret,"
      " created_at) VALUES ('C-1001', 'osaka-1', 'crm', 'tdm_', 'x',"
      " 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 1)");
  return 0;
}

/* contrib/schema's sample of a document. */
static inline json_t *test_sample(const char *name)
{
  char path[100];
  struct tm_error err = {0};
  snprintf(path, sizeof(path), "contrib/schema/samples/%s.json", name);
  json_t *document = tm_json_read(path, 1 << 20, &err);
  if (document == NULL)
    fail_msg("%s", err.text);
  return document;
}

/* An event as tidemark-export makes it; takes the document over. */
static inline char *test_seal(json_t *document, const char *kind)
{
  struct envelope e;
  struct tm_error err = {0};
  if (envelope_seal(&e, document, kind, "crm", &err) < 0)
    fail_msg("%s", err.text);
  json_decref(document);
  char *text = tm_buf_take(&e.body);
  envelope_release(&e);
  return text;
}

/* Sends a body, which is freed; its results as an array. */
static inline json_t *test_send(char *body, bool batch, int64_t now)
{
  struct tm_buf receipt = TM_BUF_INIT(1 << 20);
  struct intake_counts counts = {0};
  struct tm_error err = {0};
  const struct intake_message m = {.body = body, .len = strlen(body), .batch = batch};
  if (intake_take(test_store, &test_site, &m, now, &receipt, &counts, &err) < 0)
    fail_msg("%s", err.text);
  json_t *answer = tm_json_parse(receipt.ptr, receipt.len, "receipt", &err);
  assert_non_null(answer);
  json_t *results = json_incref(json_object_get(answer, "results"));
  json_decref(answer);
  tm_buf_release(&receipt);
  free(body);
  return results;
}

/* "accepted", or "refused FIELD: WHY", of one event. */
static inline const char *test_send_one(char *body, int64_t now)
{
  static char text[512];
  json_t *results = test_send(body, false, now);
  const json_t *r = json_array_get(results, 0);
  const char *field = tm_json_get_string(r, "field");
  const char *error = tm_json_get_string(r, "error");
  snprintf(text, sizeof(text), "%s%s%s%s%s", tm_json_get_string(r, "status"), error ? " " : "",
           field ? field : "", error ? ": " : "", error ? error : "");
  json_decref(results);
  return text;
}

#endif
