/* SPDX-License-Identifier: MIT */
/* Questions to devices of several sources at once. */
#include "common/clock.h"
#include "plugins/ask.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const char *const slow_schemes[] = {"slow", NULL};
static const char *const quick_schemes[] = {"quick", NULL};
static const char *const no_keys[] = {NULL};

static int from_url(const struct ask_url *url, struct ask_settings *settings, struct tm_error *err)
{
  (void)err;
  return ask_settings_set(settings, "Address", url->host);
}

static int open_device(void **device, void *shared, const struct ask_settings *settings,
                       struct tm_error *err)
{
  (void)shared;
  if (strcmp(ask_settings_get(settings, "Address"), "refused") == 0)
    return tm_fail(err, -EINVAL, "refused");
  *device = NULL;
  return 0;
}

static void close_device(void *device)
{
  (void)device;
}

/* Waits until its deadline, and answers nothing. */
static void ask_slowly(struct ask_job *const *jobs, size_t jobs_len)
{
  (void)jobs_len;
  while (tm_monotonic() < jobs[0]->deadline)
    nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void ask_quickly(struct ask_job *const *jobs, size_t jobs_len)
{
  for (size_t i = 0; i < jobs_len; i++) {
    if (tm_monotonic() < jobs[i]->deadline)
      jobs[i]->reading.observed_at = 1;
    ask_done(jobs[i]);
  }
}

static const struct ask_source slow = {.name = "slow",
                                       .schemes = slow_schemes,
                                       .keys = no_keys,
                                       .from_url = from_url,
                                       .open = open_device,
                                       .close = close_device,
                                       .ask = ask_slowly};
static const struct ask_source quick = {.name = "quick",
                                        .schemes = quick_schemes,
                                        .keys = no_keys,
                                        .from_url = from_url,
                                        .open = open_device,
                                        .close = close_device,
                                        .ask = ask_quickly};
static const struct ask_source *const sources[] = {&slow, &quick, NULL};

static void count(struct ask_job *job)
{
  (*(int *)job->user)++;
}

static void a_silent_source_takes_no_time_from_the_next(void **state)
{
  (void)state;
  static const char *const urls[] = {"quick://a", "slow://b", "quick://c"};
  const struct ask_settings none = {0};
  struct tm_error err = {0};
  struct ask *ask = NULL;
  struct ask_job jobs[3] = {0};
  int done = 0;
  assert_int_equal(ask_new(&ask, sources, &none, &err), 0);
  for (size_t first = 0; first < 2; first++) { /* with the quick one first, and the silent one */
    done = 0;
    for (size_t i = 0; i < 3; i++) {
      const char *url = urls[(i + first) % 3];
      assert_int_equal(ask_device_from_url(&jobs[i].device, ask, url, &none, &err), 0);
      jobs[i].deadline = tm_monotonic() + 0.2;
      jobs[i].done = count;
      jobs[i].user = &done;
    }
    ask_run(jobs, 3);
    assert_int_equal(done, 3);
    for (size_t i = 0; i < 3; i++) {
      bool answered = jobs[i].reading.observed_at == 1;
      assert_true(answered == (ask_device_source(jobs[i].device) == &quick));
      assert_int_equal(jobs[i].reading.error.code, answered ? 0 : -EIO);
      reading_release(&jobs[i].reading);
      ask_device_free(jobs[i].device);
    }
  }
  ask_free(ask);
}

static void what_cannot_be_asked_is_refused(void **state)
{
  (void)state;
  const struct ask_settings none = {0};
  struct tm_error err = {0};
  struct ask *ask = NULL;
  struct ask_device *d = NULL;
  assert_int_equal(ask_new(&ask, sources, &none, &err), 0);
  assert_int_equal(ask_device_from_url(&d, ask, "quick://refused", &none, &err), -EINVAL);
  assert_string_equal(err.text, "refused");
  assert_int_equal(ask_device_from_url(&d, ask, "other://a", &none, &err), -EINVAL);
  assert_int_equal(ask_device_new(&d, ask, "other", &none, &err), -EINVAL);
  assert_null(d);
  assert_ptr_equal(ask_find_source(ask, "QUICK"), &quick);
  ask_free(ask);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_silent_source_takes_no_time_from_the_next),
      cmocka_unit_test(what_cannot_be_asked_is_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
