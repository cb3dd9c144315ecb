/* SPDX-License-Identifier: MIT */
#include "exporters/spool.h"

#include "common/file.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static const struct tm_conf_spool limits = {
    .max_items = 1000, .max_bytes = 1 << 24, .expire_s = 30 * 86400, .keep_s = 90 * 86400};

#define NOW_MS 1790000000000LL
#define NOW    1790000000LL

static char *key_of(char key[SPOOL_KEY_SIZE], unsigned n)
{
  char text[16];
  snprintf(text, sizeof(text), "%u", n);
  return tm_sha256_hex(key, text, strlen(text));
}

static int add(struct spool *s, unsigned n, const char *body, int64_t now_ms, struct tm_error *err)
{
  char key[SPOOL_KEY_SIZE];
  json_t *head =
      json_pack("{s:s,s:s,s:[s]}", "type", "summary", "device", "h/d", "purposes", "sales");
  int rc = spool_add(s, SPOOL_SUMMARY, key_of(key, n), head, body, strlen(body), now_ms / 1000,
                     now_ms, err);
  json_decref(head);
  return rc;
}

static size_t count(const struct spool *s, enum spool_state state)
{
  struct spool_list list;
  assert_int_equal(spool_scan(s, state, &list, NULL, NULL), 0);
  size_t n = list.len;
  spool_list_release(&list);
  return n;
}

static struct spool_entry first(const struct spool *s, enum spool_state state)
{
  struct spool_list list;
  assert_int_equal(spool_scan(s, state, &list, NULL, NULL), 0);
  assert_true(list.len > 0);
  struct spool_entry e = list.entries[0];
  spool_list_release(&list);
  return e;
}

static int open_fresh(void **state)
{
  struct spool *s = malloc(sizeof(*s));
  snprintf(root, sizeof(root), "/tmp/test_spool.XXXXXX");
  *state = s;
  return mkdtemp(root) == NULL || spool_open(s, root, "crm", &limits, NULL) < 0;
}

static int close_and_remove(void **state)
{
  char command[128];
  spool_close(*state);
  free(*state);
  snprintf(command, sizeof(command), "rm -rf '%s'", root);
  return system(command);
}

static void an_item_comes_back_as_it_went_in(void **state)
{
  struct spool *s = *state;
  struct tm_error err = {0};
  struct spool_item item;
  assert_int_equal(add(s, 1, "{\"a\":\"\\u0000\n\"}\n", NOW_MS, &err), 0);
  struct spool_entry e = first(s, SPOOL_NEW);
  assert_int_equal(e.due, NOW);
  assert_int_equal(e.queued_ms, NOW_MS);
  assert_int_equal(e.attempt, 0);
  assert_int_equal(spool_read(s, SPOOL_NEW, &e, &item, &err), 0);
  assert_int_equal(item.body_len, strlen("{\"a\":\"\\u0000\n\"}\n"));
  assert_memory_equal(item.body, "{\"a\":\"\\u0000\n\"}\n", item.body_len);
  assert_string_equal(json_string_value(json_object_get(item.head, "device")), "h/d");
  spool_item_release(&item);
  struct stat st;
  char path[256];
  snprintf(path, sizeof(path), "%s/crm/new/%s", root, e.name);
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
}

static void items_stand_in_the_order_of_queuing(void **state)
{
  struct spool *s = *state;
  for (unsigned i = 0; i < 20; i++)
    assert_int_equal(add(s, i, "x", NOW_MS + (i * 7) % 20, NULL), 0);
  struct spool_entry e = first(s, SPOOL_NEW);
  /* a failed try changes the due time, not the place in the line */
  assert_int_equal(spool_again(s, &e, NOW + 300, NULL), 0);
  assert_int_equal(e.attempt, 1);
  struct spool_list list;
  assert_int_equal(spool_scan(s, SPOOL_NEW, &list, NULL, NULL), 0);
  assert_int_equal(list.len, 20);
  for (size_t i = 1; i < list.len; i++)
    assert_true(list.entries[i - 1].queued_ms <= list.entries[i].queued_ms);
  assert_string_equal(list.entries[0].name, e.name);
  assert_false(spool_is_due(&list.entries[0], NOW));
  assert_true(spool_is_due(&list.entries[0], NOW + 300));
  assert_true(spool_is_due(&list.entries[0], NOW - 10 * 86400)); /* the clock was set back */
  spool_list_release(&list);
}

static void every_transition_keeps_exactly_one_copy(void **state)
{
  struct spool *s = *state;
  struct tm_buf why = TM_BUF_INIT(1000);
  assert_int_equal(add(s, 1, "x", NOW_MS, NULL), 0);
  assert_int_equal(add(s, 2, "y", NOW_MS + 1, NULL), 0);
  struct spool_entry e = first(s, SPOOL_NEW);
  assert_int_equal(spool_sent(s, &e, NULL), 0);
  assert_int_equal(spool_sent(s, &e, NULL), -ENOENT);
  assert_int_equal(spool_dead(s, &e, "no", NULL), -ENOENT);
  e = first(s, SPOOL_NEW);
  assert_int_equal(spool_dead(s, &e, "refused: it is Monday", NULL), 0);
  assert_int_equal(count(s, SPOOL_NEW), 0);
  assert_int_equal(count(s, SPOOL_SENT), 1);
  assert_int_equal(count(s, SPOOL_DEAD), 1);
  assert_int_equal(spool_reason(s, SPOOL_DEAD, &e, &why, NULL), 0);
  assert_string_equal(why.ptr, "refused: it is Monday");
  assert_int_equal(spool_requeue(s, &e, NOW_MS + 5000, NULL), 0);
  assert_int_equal(count(s, SPOOL_DEAD), 0);
  e = first(s, SPOOL_NEW);
  assert_int_equal(e.queued_ms, NOW_MS + 5000);
  assert_int_equal(spool_sync(s, NULL), 0);
  tm_buf_release(&why);
}

static void damage_is_noticed_wherever_it_is(void **state)
{
  struct spool *s = *state;
  struct tm_error err = {0};
  struct tm_buf sound = TM_BUF_INIT(SPOOL_ITEM_MAX);
  char path[256];
  assert_int_equal(add(s, 1, "{\"body\":1}", NOW_MS, NULL), 0);
  struct spool_entry e = first(s, SPOOL_NEW);
  snprintf(path, sizeof(path), "%s/crm/new/%s", root, e.name);
  assert_int_equal(tm_file_read(path, &sound, NULL), 0);
  for (size_t i = 0; i <= sound.len; i++) {
    struct tm_buf bad = TM_BUF_INIT(SPOOL_ITEM_MAX);
    struct spool_item item = {0};
    assert_int_equal(tm_buf_add(&bad, sound.ptr, i < sound.len ? sound.len : sound.len - 1), 0);
    if (i < sound.len)
      bad.ptr[i] ^= 1;
    item.file = bad;
    if (spool_item_parse(&item, "x", e.key, &err) != -EBADMSG)
      fail_msg("byte %zu of %zu", i, sound.len);
    spool_item_release(&item);
  }
  tm_buf_release(&sound);
  struct spool_item item;
  struct spool_entry other = e;
  key_of(other.key, 2);
  assert_int_equal(spool_read(s, SPOOL_NEW, &other, &item, &err), -EBADMSG);
}

static void strange_files_go_out_of_the_way_once(void **state)
{
  struct spool *s = *state;
  static const char *const names[] = {
      "x",
      "..x",
      "1.2.3.4",
      "001790000000.51790000000000."
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "001790000000.51790000000000."
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.00",
      "001790000000.51790000000000."
      "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.0"};
  enum { N = sizeof(names) / sizeof(names[0]) };
  for (size_t i = 0; i < N; i++) {
    char path[256];
    snprintf(path, sizeof(path), "%s/crm/new/%s", root, names[i]);
    assert_int_equal(tm_file_write(path, "x", 1, 0600, NULL), 0);
  }
  assert_int_equal(add(s, 1, "x", NOW_MS, NULL), 0);
  struct spool_list list;
  size_t strange = 0;
  assert_int_equal(spool_scan(s, SPOOL_NEW, &list, &strange, NULL), 0);
  assert_int_equal(list.len, 1);
  spool_list_release(&list);
  assert_int_equal(strange, N);
  strange = 0;
  assert_int_equal(spool_scan(s, SPOOL_NEW, &list, &strange, NULL), 0);
  spool_list_release(&list);
  assert_int_equal(strange, 0);
}

static void a_full_spool_refuses_and_loses_nothing(void **state)
{
  struct spool *s = *state;
  struct tm_error err = {0};
  s->limits.max_items = 3;
  for (unsigned i = 0; i < 3; i++)
    assert_int_equal(add(s, i, "x", NOW_MS, NULL), 0);
  assert_int_equal(add(s, 9, "x", NOW_MS, &err), -EDQUOT);
  assert_int_equal(count(s, SPOOL_NEW), 3);
  struct spool_entry e = first(s, SPOOL_NEW);
  assert_int_equal(spool_sent(s, &e, NULL), 0);
  assert_int_equal(add(s, 9, "x", NOW_MS, &err), 0);
  s->limits.max_items = 1000;
  s->limits.max_bytes = 1000;
  char big[2000];
  memset(big, 'x', sizeof(big));
  big[sizeof(big) - 1] = '\0';
  assert_int_equal(add(s, 10, big, NOW_MS, &err), -EDQUOT);
  s->limits.max_bytes = 1 << 24;
  s->limits.free_bytes = 1ULL << 60;
  assert_int_equal(add(s, 10, "x", NOW_MS, &err), -EDQUOT);
}

static void one_sender_at_a_time(void **state)
{
  struct spool *s = *state;
  struct spool other;
  struct tm_error err = {0};
  assert_int_equal(spool_open(&other, root, "crm", &limits, NULL), 0);
  assert_int_equal(spool_lock(s, "send", false, &err), 0);
  assert_int_equal(spool_lock(&other, "send", false, &err), -EBUSY);
  assert_int_equal(spool_lock(&other, "fill", false, &err), 0);
  spool_unlock(&other);
  spool_unlock(s);
  assert_int_equal(spool_lock(&other, "send", false, &err), 0);
  spool_close(&other);
}

static void the_old_expires_into_dead_and_is_purged_later(void **state)
{
  struct spool *s = *state;
  size_t n = 0;
  assert_int_equal(add(s, 1, "x", NOW_MS - 31LL * 86400000, NULL), 0);
  assert_int_equal(add(s, 2, "x", NOW_MS - 29LL * 86400000, NULL), 0);
  assert_int_equal(spool_expire(s, NOW, &n, NULL), 0);
  assert_int_equal(n, 1);
  assert_int_equal(count(s, SPOOL_NEW), 1);
  assert_int_equal(count(s, SPOOL_DEAD), 1);
  n = 0;
  assert_int_equal(spool_purge(s, SPOOL_DEAD, NOW - 90 * 86400, &n, NULL), 0);
  assert_int_equal(n, 0);
  assert_int_equal(spool_purge(s, SPOOL_DEAD, NOW, &n, NULL), 0);
  assert_int_equal(n, 1);
  assert_int_equal(count(s, SPOOL_DEAD), 0);
}

static void waiting_grows_and_is_spread(void **state)
{
  (void)state;
  assert_int_equal(spool_backoff_s(0, 0), 4);
  assert_int_equal(spool_backoff_s(0, UINT32_MAX), 6);
  assert_int_equal(spool_backoff_s(1, UINT32_MAX / 2), 300);
  for (int i = 1; i < 20; i++)
    assert_true(spool_backoff_s(i, 7) >= spool_backoff_s(i - 1, 7));
  assert_int_equal(spool_backoff_s(9999, UINT32_MAX / 2), 86400);
}

/* Adds until it is killed; each key is told after spool_add has promised it. */
static void fill_until_killed(unsigned from, int tell)
{
  struct spool s;
  if (spool_open(&s, root, "crm", &limits, NULL) < 0)
    _exit(1);
  for (unsigned i = from;; i++) {
    if (add(&s, i, "{\"some\":\"body\"}", NOW_MS + i, NULL) < 0)
      _exit(1);
    if (write(tell, &i, sizeof(i)) != sizeof(i))
      _exit(1);
  }
}

static void what_was_promised_survives_a_kill_at_any_moment(void **state)
{
  struct spool *s = *state;
  static bool promised[200000];
  srand(7);
  for (unsigned round = 0; round < 60; round++) {
    int pipe_fd[2];
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t pid = fork();
    if (pid == 0)
      fill_until_killed(round * 1000, pipe_fd[1]);
    close(pipe_fd[1]);
    unsigned key;
    for (int wait = 1 + rand() % 20; wait > 0; wait--) {
      assert_int_equal(read(pipe_fd[0], &key, sizeof(key)), sizeof(key));
      promised[key] = true;
    }
    usleep((useconds_t)(rand() % 1000));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    while (read(pipe_fd[0], &key, sizeof(key)) == sizeof(key))
      promised[key] = true;
    close(pipe_fd[0]);
  }
  struct spool_list list;
  size_t strange = 0;
  assert_int_equal(spool_scan(s, SPOOL_NEW, &list, &strange, NULL), 0);
  assert_int_equal(strange, 0);
  for (size_t i = 0; i < list.len; i++) {
    struct spool_item item;
    assert_int_equal(spool_read(s, SPOOL_NEW, &list.entries[i], &item, NULL), 0);
    spool_item_release(&item);
    if (i > 0)
      assert_string_not_equal(list.entries[i].key, list.entries[i - 1].key);
  }
  unsigned n = 0;
  for (unsigned i = 0; i < sizeof(promised); i++) {
    char hex[SPOOL_KEY_SIZE];
    if (!promised[i])
      continue;
    n++;
    if (spool_list_find(&list, key_of(hex, i)) == NULL)
      fail_msg("item %u was promised and is gone", i);
  }
  print_message("# %u promised, %zu found\n", n, list.len);
  assert_true(n > 60);
  spool_list_release(&list);
  assert_int_equal(spool_clean(s, time(NULL) + 7200, NULL), 0);
}

int main(void)
{
#define FRESH(f) cmocka_unit_test_setup_teardown(f, open_fresh, close_and_remove)
  static const struct CMUnitTest tests[] = {
      FRESH(an_item_comes_back_as_it_went_in),
      FRESH(items_stand_in_the_order_of_queuing),
      FRESH(every_transition_keeps_exactly_one_copy),
      FRESH(damage_is_noticed_wherever_it_is),
      FRESH(strange_files_go_out_of_the_way_once),
      FRESH(a_full_spool_refuses_and_loses_nothing),
      FRESH(one_sender_at_a_time),
      FRESH(the_old_expires_into_dead_and_is_purged_later),
      cmocka_unit_test(waiting_grows_and_is_spread),
      FRESH(what_was_promised_survives_a_kill_at_any_moment),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
