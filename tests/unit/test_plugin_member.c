/* SPDX-License-Identifier: MIT */
/* A device in the daemon: its counts from border to border, and what is said of it in the log. */
#include "plugins/member.h"
#include "tests/lib/daemon.h"
#include "tests/lib/test_folder.h"

#include <errno.h>

static struct ask_job answer(double transfers, double at)
{
  struct ask_job job = {.asked_at = at, .answered_at = at};
  reading_init(&job.reading, READING_DISK_ARRAY);
  if (isnan(transfers)) {
    tm_fail(&job.reading.error, -ETIMEDOUT, "10.0.0.1: no answer");
    return job;
  }
  job.reading.observed_at = (int64_t)at;
  job.reading.transfers = transfers;
  struct reading_counter *c = reading_add_counter(&job.reading);
  snprintf(c->name, sizeof(c->name), "sda");
  c->value = (uint64_t)transfers;
  return job;
}

static void take(struct member *m, double transfers, double at)
{
  struct ask_job job = answer(transfers, at);
  member_take_reading(m, &job);
  reading_release(&job.reading);
}

static void take_border(struct member *m, double transfers, int64_t border, double late)
{
  struct ask_job job = answer(transfers, (double)border + late);
  m->border = border;
  member_take_border(m, &job);
  reading_release(&job.reading);
}

static struct member *make_member(void)
{
  struct member *m = member_new("a-1", NULL, NULL);
  m->kind = READING_DISK_ARRAY;
  m->unit_s = 10;
  m->state_dir = test_folder;
  m->values = (struct dispatch){.plugin = "disk_array", .device = m->name};
  interval_init(&m->counter, m->unit_s);
  return m;
}

static void silence_and_return_are_one_line_each(void **state)
{
  (void)state;
  struct member *m = make_member();
  take(m, 10, 1000);
  for (int i = 0; i < 5; i++)
    take(m, NAN, NAN);
  assert_int_equal(logged_len, 1);
  assert_string_equal(logged[0], "a-1: 10.0.0.1: no answer");
  for (int i = 0; i < 5; i++)
    take(m, 11, 1100 + i);
  assert_int_equal(logged_len, 2);
  assert_non_null(strstr(logged[1], "a-1: answers again after"));
  member_free(m);
}

static void a_device_without_counters_has_no_counts(void **state)
{
  (void)state;
  struct member *m = make_member();
  take_border(m, NAN, 1000, 0);
  assert_int_equal(sent_len, 0);
  take_border(m, 5, 1010, 0);
  assert_int_equal(sent_len, 1);
  assert_gauge("disk_array-a-1/interval_count-transfers", NAN);
  member_free(m);
}

static void each_border_gives_one_value(void **state)
{
  (void)state;
  struct member *m = make_member();
  static const double wanted[] = {NAN, 7, NAN, NAN, 3};
  static const struct {
    double transfers;
    double late;
  } borders[] = {{5, 0}, {12, 0.01}, {20, 0.5}, {21, 0}, {24, 0}};
  for (size_t i = 0; i < 5; i++) {
    forget(NULL);
    /* the steady clock of the samples is the real one: the length of the interval is made to fit */
    m->counter.start_steady -= 10;
    take_border(m, borders[i].transfers, 1000 + 10 * (int64_t)i, borders[i].late);
    assert_int_equal(sent_len, 1);
    assert_gauge("disk_array-a-1/interval_count-transfers", wanted[i]);
  }
  forget(NULL);
  take_border(m, 30, 1040, 0); /* the clock went back: this time is taken */
  assert_int_equal(sent_len, 0);
  member_free(m);
}

static void late_borders_are_said_once(void **state)
{
  (void)state;
  struct member *m = make_member();
  for (int i = 0; i < 4; i++)
    take_border(m, 5, 1000 + 10 * i, 0.5);
  assert_int_equal(logged_len, 1);
  assert_non_null(strstr(logged[0], "0.500 s after the border"));
  take_border(m, 5, 1040, 0);
  take_border(m, 5, 1050, 0);
  assert_int_equal(logged_len, 2);
  member_free(m);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, forget)
  static const struct CMUnitTest tests[] = {
      TEST(silence_and_return_are_one_line_each),
      TEST(a_device_without_counters_has_no_counts),
      TEST(each_border_gives_one_value),
      TEST(late_borders_are_said_once),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
