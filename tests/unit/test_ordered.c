/* SPDX-License-Identifier: MIT */
/* Results of racing jobs come out in order, each once, with a bounded number held. */
#include "analyzer/ordered.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 20000, JOBS = 4 };

struct race {
  struct ordered *ordered;
  atomic_size_t next;
  size_t seen;
  size_t wrong;
  size_t fail_at;
};

static int sink(void *user, size_t index, char *data, size_t len)
{
  struct race *r = user;
  char want[32];
  int n = snprintf(want, sizeof(want), "%zu", index);
  if (index % 7 == 0)
    r->wrong += data != NULL;
  else
    r->wrong += data == NULL || len != (size_t)n || strcmp(data, want) != 0;
  r->wrong += index != r->seen;
  r->seen++;
  return index == r->fail_at ? -ENOSPC : 0;
}

static void *job(void *user)
{
  struct race *r = user;
  for (;;) {
    size_t i = atomic_fetch_add(&r->next, 1);
    if (i >= COUNT)
      return NULL;
    char *data = NULL;
    int n = i % 7 == 0 ? 0 : asprintf(&data, "%zu", i);
    if (ordered_put(r->ordered, i, data, (size_t)n) < 0)
      return NULL;
  }
}

static void race(struct race *r)
{
  pthread_t threads[JOBS];
  r->ordered = ordered_new(COUNT, sink, r);
  for (int i = 0; i < JOBS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, job, r), 0);
  for (int i = 0; i < JOBS; i++)
    pthread_join(threads[i], NULL);
  ordered_free(r->ordered);
}

static void all_come_in_order(void **state)
{
  (void)state;
  struct race r = {.fail_at = SIZE_MAX};
  race(&r);
  assert_int_equal(r.seen, COUNT);
  assert_int_equal(r.wrong, 0);
}

static void a_sink_that_fails_stops_all_jobs(void **state)
{
  (void)state;
  struct race r = {.fail_at = 100};
  race(&r);
  assert_int_equal(r.seen, 101);
  assert_int_equal(r.wrong, 0);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_come_in_order),
      cmocka_unit_test(a_sink_that_fails_stops_all_jobs),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
