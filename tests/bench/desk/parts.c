/* SPDX-License-Identifier: MIT */
/*
 * parts TEMPLATE URL [BATCH [BATCHES]]: what one event costs the desk, without HTTP: the CPU time
 * of each part of its reading, and of its keeping in the store that URL names (empty, or begun by
 * another run of this program). One line a part, in microseconds an event.
 */
#include "common/json.h"
#include "contrib/desk/intake/event.h"
#include "contrib/desk/intake/intake.h"
#include "contrib/desk/intake/keep.h"
#include "contrib/desk/intake/schemas.h"
#include "tests/bench/desk/made.h"

#include <malloc.h>
#include <time.h>

static const struct credential site = {.id = 1,
                                       .customer = "C-1",
                                       .site = "site-1",
                                       .secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};

static double cpu_of(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int enrol(struct db *db, void *arg, struct tm_error *err)
{
  (void)arg;
  static const char *const rows[] = {
      "INSERT INTO customers (customer_id, name, created_at) VALUES ('C-1', 'Example KK', 1)"
      " ON CONFLICT DO NOTHING",
      "INSERT INTO sites (customer_id, site, created_at) VALUES ('C-1', 'site-1', 1)"
      " ON CONFLICT DO NOTHING",
      "INSERT INTO credentials (customer_id, site, target, token_prefix, token_sha256, secret,"
      " created_at) VALUES ('C-1', 'site-1', 'crm', 'tdm_', 'x', 'y', 1) ON CONFLICT DO NOTHING"};
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
    rc = db_run_one(db, rows[i], err);
  return rc;
}

enum { VERIFY, SPLIT, HASH, PARSE, SCHEMA, READ, KEEP, WRITER, PARTS };
static const char *const names[PARTS] = {
    [VERIFY] = "signature of the batch",
    [SPLIT] = "splitting",
    [HASH] = "  of reading: hash of the event",
    [PARSE] = "  of reading: JSON",
    [SCHEMA] = "  of reading: schema",
    [READ] = "reading (hash, JSON, schema, days, deflating)",
    [KEEP] = "keeping, while waiting",
    [WRITER] = "keeping, in the writer",
};
static double spent[PARTS];

static void take(struct store *store, const char *body, size_t len, int64_t now)
{
  const clockid_t own = CLOCK_THREAD_CPUTIME_ID;
  struct tm_error err = {0};
  struct event *events;
  json_t *requests = NULL;
  size_t n;
  double t = cpu_of(own);
  struct intake_message m = {
      .id = "m", .timestamp = "1", .signature = "v1,", .body = body, .len = len};
  intake_verify(&m, &site, now, false, &err);
  spent[VERIFY] += cpu_of(own) - t;
  t = cpu_of(own);
  if (events_split(body, len, true, &events, &n, &err) < 0)
    exit(1);
  spent[SPLIT] += cpu_of(own) - t;
  for (size_t i = 0; i < n; i++) {
    char hash[TM_SHA256_HEX];
    struct json_fault fault;
    t = cpu_of(own);
    tm_sha256_hex(hash, events[i].bytes, events[i].len);
    spent[HASH] += cpu_of(own) - t;
    t = cpu_of(own);
    json_t *root = tm_json_parse(events[i].bytes, events[i].len, "event", &err);
    json_t *data = json_object_get(root, "data");
    spent[PARSE] += cpu_of(own) - t;
    t = cpu_of(own);
    json_schema_check(schema_of(SCHEMA_OF_SUMMARY), data, JSON_SCHEMA_UNKNOWN_PASS, &fault);
    spent[SCHEMA] += cpu_of(own) - t;
    json_decref(root);
    t = cpu_of(own);
    event_read(&events[i], &site, now);
    spent[READ] += cpu_of(own) - t;
    if (events[i].status == EVENT_REFUSED) {
      fprintf(stderr, "refused: %s: %s\n", events[i].field, events[i].error);
      exit(1);
    }
  }
  t = cpu_of(own);
  double p = cpu_of(CLOCK_PROCESS_CPUTIME_ID);
  if (keep_events(store, &site, events, n, now, &requests, &err) < 0) {
    fprintf(stderr, "%s\n", err.text);
    exit(1);
  }
  spent[WRITER] += cpu_of(CLOCK_PROCESS_CPUTIME_ID) - p - (cpu_of(own) - t);
  spent[KEEP] += cpu_of(own) - t;
  json_decref(requests);
  events_free(events, n);
}

int main(int argc, char **argv)
{
  struct made made = {0};
  struct store *store = NULL;
  struct tm_error err = {0};
  if (argc < 3)
    return 64;
  unsigned batch = argc > 3 ? (unsigned)atoi(argv[3]) : 100;
  unsigned batches = argc > 4 ? (unsigned)atoi(argv[4]) : 100;
  const struct store_settings settings = {.url = argv[2], .connections = 2};
  made_load(&made, argv[1]);
  if (store_open(&store, &settings, &err) < 0 ||
      store_write(store, &db_everyone, enrol, NULL, &err) < 0) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  mallopt(M_MXFAST, 0); /* as the desk does, see contrib/desk/serve.c */
  int64_t now = tm_now();
  uint64_t first = (uint64_t)now % 100000 * 1000000;
  size_t bytes = 0;
  for (unsigned b = 0; b < batches; b++) {
    struct tm_buf body = TM_BUF_INIT(64 << 20);
    char key[TM_SHA256_HEX];
    for (unsigned i = 0; i < batch; i++) {
      const struct made_event e = {.customer = site.customer,
                                   .site = site.site,
                                   .number = (unsigned)first,
                                   .n = b * batch + i,
                                   .devices = 100,
                                   .today = now / TM_DAY};
      tm_buf_add(&body, i == 0 ? "[" : ",", 1);
      made_add(&made, &body, &e, key);
    }
    tm_buf_add(&body, "]", 1);
    take(store, body.ptr, body.len, now);
    bytes += body.len;
    tm_buf_release(&body);
  }
  unsigned n = batch * batches;
  printf("%u events of %.0f bytes, by %u\n", n, (double)bytes / n, batch);
  for (int i = 0; i < PARTS; i++)
    printf("%7.1f  %s\n", 1e6 * spent[i] / n, names[i]);
  store_close(store);
  free(made.text);
  return 0;
}
