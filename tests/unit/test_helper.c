/* SPDX-License-Identifier: MIT */
/* The helper process as collectd's plugins see it: sound, dying, hanging, babbling, absent. */
#include "plugins/helper.h"

#include "common/clock.h"
#include "common/file.h"
#include "plugins/wire.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/test_folder.h"

static char path[64];
static int answers;

static void count(struct helper_question *q)
{
  assert_non_null(q->reply);
  answers++;
}

/* A helper whose program is this shell script. */
static struct helper *make(const char *script)
{
  char text[1024];
  snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
  assert_int_equal(tm_file_write(path, text, strlen(text), 0700, NULL), 0);
  struct helper *h = helper_new(path);
  assert_non_null(h);
  answers = 0;
  return h;
}

static int ask(struct helper *h, size_t n, double timeout_s, struct tm_error *err)
{
  struct helper_question q[8] = {0};
  *err = (struct tm_error){0};
  for (size_t i = 0; i < n; i++)
    q[i].request = json_object();
  int rc = helper_ask(h, q, n, tm_monotonic() + timeout_s, count, err);
  for (size_t i = 0; i < n; i++) {
    json_decref(q[i].request);
    json_decref(q[i].reply);
  }
  return rc;
}

/* Answers every line with its own id, which stands behind "id":. */
#define ECHO                                                                                       \
  "while read -r line; do id=${line#*'\"id\":'}; printf '{\"id\":%s}\\n' \"${id%%[,\\}]*}\" >&0; " \
  "done"

static void questions_are_answered_by_one_process(void **state)
{
  (void)state;
  struct tm_error err;
  struct helper *h = make(ECHO);
  assert_int_equal(helper_pid(h), 0); /* nothing is started before it is asked */
  assert_int_equal(ask(h, 8, 5, &err), 0);
  int pid = helper_pid(h);
  assert_true(pid > 0);
  assert_int_equal(ask(h, 1, 5, &err), 0);
  assert_int_equal(helper_pid(h), pid);
  assert_int_equal(answers, 9);
  helper_free(h);
  assert_int_equal(kill(pid, 0), -1); /* it is gone, and no zombie */
}

static void a_helper_that_dies_fails_its_questions_and_is_started_again(void **state)
{
  (void)state;
  struct tm_error err;
  struct helper *h = make("read -r line; exit 3");
  double before = tm_monotonic();
  assert_int_equal(ask(h, 2, 20, &err), -EPIPE);
  assert_true(tm_monotonic() - before < 5); /* the deadline is not waited for */
  assert_non_null(strstr(err.text, "ended"));
  assert_int_equal(helper_pid(h), 0);
  assert_int_equal(ask(h, 1, 5, &err), -EAGAIN);
  assert_non_null(strstr(err.text, "started in 1 s"));
  usleep(1100000);
  assert_int_equal(ask(h, 1, 5, &err), -EPIPE);
  assert_int_equal(ask(h, 1, 5, &err), -EAGAIN);
  assert_non_null(strstr(err.text, "started in 2 s"));
  helper_free(h);
}

static void a_helper_that_hangs_is_ended(void **state)
{
  (void)state;
  struct tm_error err;
  struct helper *h = make("exec sleep 100");
  double before = tm_monotonic();
  assert_int_equal(ask(h, 2, 0.2, &err), -ETIMEDOUT);
  int pid = helper_pid(h);
  assert_true(tm_monotonic() - before < 60);
  for (int i = 0; i < 3000 && helper_pid(h) != 0; i++)
    usleep(20000);
  assert_int_equal(helper_pid(h), 0);
  if (pid > 0)
    assert_int_equal(kill(pid, 0), -1);
  helper_free(h);
  assert_int_equal(answers, 0);
}

static void a_helper_that_ignores_the_end_is_ended_by_force(void **state)
{
  (void)state;
  struct tm_error err;
  struct helper *h = make("trap '' TERM; read -r line; printf '{\"id\":1}\\n' >&0; exec sleep 100");
  assert_int_equal(ask(h, 1, 5, &err), 0);
  int pid = helper_pid(h);
  double before = tm_monotonic();
  helper_free(h);
  assert_true(tm_monotonic() - before < 60);
  assert_int_equal(kill(pid, 0), -1);
}

static void garbage_is_passed_over(void **state)
{
  (void)state;
  struct tm_error err;
  struct helper *h = make("printf 'hello\\n{\"id\":77}\\n[]\\n\\n{\"id\":\"x\"}\\n' >&0; " ECHO);
  assert_int_equal(ask(h, 2, 5, &err), 0);
  assert_int_equal(answers, 2);
  helper_free(h);
}

static void an_endless_line_ends_the_helper(void **state)
{
  (void)state;
  struct tm_error err;
  struct helper *h = make("read -r line; exec tr '\\0' x </dev/zero >&0");
  assert_int_equal(ask(h, 1, 30, &err), -EPIPE);
  helper_free(h);
}

static void a_program_that_is_not_there_is_named(void **state)
{
  (void)state;
  struct tm_error err;
  struct helper *h = helper_new("/nonexistent/tidemark-probe");
  assert_int_equal(ask(h, 1, 5, &err), -ENOENT);
  assert_non_null(strstr(err.text, "/nonexistent/tidemark-probe: No such file"));
  assert_int_equal(ask(h, 1, 5, &err), -EAGAIN);
  helper_free(h);
}

/* --- the reading on its way ----------------------------------------------------------------- */

static void a_reading_comes_through_whole(void **state)
{
  (void)state;
  struct reading r;
  struct reading back;
  reading_init(&r, READING_PRINTER);
  r.observed_at = 1795133100;
  r.pages_total = 12;
  r.transfers_per_s = 0.1;
  r.write_bytes = 0x1p62;
  snprintf(r.vendor, sizeof(r.vendor), "V\xc3\xa9");
  snprintf(reading_add_volume(&r)->name, READING_NAME, "v");
  snprintf(r.volumes[0].id, READING_ID, "1.2");
  snprintf(reading_add_drive(&r)->serial, READING_NAME, "d");
  r.drive_list[0].life_left_percent = 0;
  r.drive_list[0].capacity_bytes = 5;
  reading_add_supply(&r)->level = 0;
  reading_add_tray(&r)->capacity = 250;
  snprintf(reading_add_item(&r)->nature, 16, "setting");
  struct reading_counter *c = reading_add_counter(&r);
  snprintf(c->name, sizeof(c->name), "c");
  c->value = UINT64_MAX;
  c->bits = 64;
  c->epoch = (uint64_t)1 << 63;
  tm_fail(&r.error, -ETIMEDOUT, "late");
  json_t *o = wire_from_reading(&r);
  assert_int_equal(wire_to_reading(o, &back), 0);
  json_t *again = wire_from_reading(&back);
  assert_true(json_equal(o, again));
  assert_int_equal(back.kind, READING_PRINTER);
  assert_true(back.write_bytes == 0x1p62 && back.transfers_per_s == 0.1 && isnan(back.reads));
  assert_true(back.counters[0].value == UINT64_MAX && back.counters[0].epoch >> 63 == 1);
  assert_string_equal(back.volumes[0].id, "1.2");
  assert_true(back.drive_list[0].life_left_percent == 0 && back.drive_list[0].capacity_bytes == 5);
  assert_true(isnan(back.volumes[0].used_bytes) && back.supplies[0].level == 0);
  assert_int_equal(back.error.code, -ETIMEDOUT);
  assert_string_equal(back.error.text, "late");
  json_decref(o);
  json_decref(again);
  reading_release(&r);
  reading_release(&back);
}

static void wrong_types_stay_unknown_on_the_way(void **state)
{
  (void)state;
  struct reading r;
  json_t *o =
      json_pack("{s:s, s:s, s:i, s:s, s:[i,{s:s,s:s}], s:i, s:{}, s:i}", "kind", "printer",
                "pages_total", "12", "vendor", 5, "observed_at", "now", "volumes", 1, "name",
                "n\x1b", "used_bytes", "x", "trays", 7, "supplies", "error_code", 99999);
  assert_non_null(o);
  assert_int_equal(wire_to_reading(o, &r), 0);
  assert_true(isnan(r.pages_total) && r.observed_at == INT64_MIN && r.vendor[0] == '\0');
  assert_int_equal(r.volumes_len, 2);
  assert_string_equal(r.volumes[1].name, "n");
  assert_int_equal(r.error.code, -EIO);
  json_decref(o);
  reading_release(&r);
  o = json_pack("{s:s}", "kind", "toaster");
  assert_int_equal(wire_to_reading(o, &r), -EBADMSG);
  assert_int_equal(wire_to_reading(NULL, &r), -EBADMSG);
  json_decref(o);
}

static int make_folder(void **state)
{
  int rc = test_folder_make(state);
  snprintf(path, sizeof(path), "%s/helper", test_folder);
  return rc;
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(questions_are_answered_by_one_process),
      cmocka_unit_test(a_helper_that_dies_fails_its_questions_and_is_started_again),
      cmocka_unit_test(a_helper_that_hangs_is_ended),
      cmocka_unit_test(a_helper_that_ignores_the_end_is_ended_by_force),
      cmocka_unit_test(garbage_is_passed_over),
      cmocka_unit_test(an_endless_line_ends_the_helper),
      cmocka_unit_test(a_program_that_is_not_there_is_named),
      cmocka_unit_test(a_reading_comes_through_whole),
      cmocka_unit_test(wrong_types_stay_unknown_on_the_way),
  };
  return cmocka_run_group_tests_name("helper", tests, make_folder, test_folder_remove);
}
