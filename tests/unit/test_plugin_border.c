/* SPDX-License-Identifier: MIT */
/* The thread that wakes at the borders of unit intervals. */
#include "plugins/ask.h"
#include "plugins/border.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct seen {
  pthread_mutex_t lock;
  int calls;
  int64_t borders[16];
  double at[16];
  bool signals_blocked;
};

static void note(int64_t border, void *user)
{
  struct seen *s = user;
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  pthread_mutex_lock(&s->lock);
  s->signals_blocked = sigismember(&mask, SIGTERM) == 1;
  if (s->calls < 16) {
    s->borders[s->calls] = border;
    s->at[s->calls] = ask_wall_clock();
  }
  s->calls++;
  pthread_mutex_unlock(&s->lock);
}

static void rest(double seconds)
{
  struct timespec ts = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&ts, NULL);
}

static void it_wakes_at_each_border_and_not_before(void **state)
{
  (void)state;
  struct seen s = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct border *b = NULL;
  struct tm_error err = {0};
  double began = ask_wall_clock();
  assert_int_equal(border_start(&b, 1, note, &s, &err), 0);
  rest(3.3);
  border_stop(b);
  int calls = s.calls;
  assert_in_range(calls, 3, 4);
  assert_true(s.borders[0] == (int64_t)began + 1);
  for (int i = 0; i < calls; i++) {
    assert_true(s.at[i] >= (double)s.borders[i]);
    assert_true(i == 0 || s.borders[i] > s.borders[i - 1]);
  }
  assert_true(s.signals_blocked); /* a SIGTERM is the daemon's main thread's */
  rest(1.1);
  assert_int_equal(s.calls, calls); /* nothing after the stop */
}

static void a_long_wait_can_be_stopped(void **state)
{
  (void)state;
  struct seen s = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct border *b = NULL;
  struct tm_error err = {0};
  assert_int_equal(border_start(&b, 86400, note, &s, &err), 0);
  double before = ask_wall_clock();
  border_stop(b);
  assert_true(ask_wall_clock() - before < 5);
  border_stop(NULL);
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_wakes_at_each_border_and_not_before),
      cmocka_unit_test(a_long_wait_can_be_stopped),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
