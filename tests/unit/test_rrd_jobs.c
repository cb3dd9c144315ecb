/* SPDX-License-Identifier: MIT */
/* A fleet's folder read by several processes: each device comes once, also where processes die or
 * the folder is divided among shards. */
#include "common/clock.h"
#include "tests/lib/rrd_gauges.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define FLEET 300

/* All its files are links to one: only that each device comes counts here. */
static int make_fleet(void **state)
{
  static const char *const files[] = {"capacity-used", "capacity-total", "capacity-pool1_used",
                                      "interval_count-transfers"};
  if (test_folder_make(state) != 0)
    return -1;
  make_gauge("gauge.rrd", exact_archives, 300, NOW - 91 * TM_DAY, NOW, used_growing);
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
    run("cd %s && for i in $(seq 1 %d); do d=fleet/host$((i %% 7))/disk_array-a$i; mkdir -p $d; "
        "ln gauge.rrd $d/%s.rrd; done",
        test_folder, FLEET, files[i]);
  return 0;
}

struct job {
  pthread_t thread;
  struct rrd_source *src;
  unsigned number;
  atomic_int *seen; /* by device */
  atomic_size_t *refused;
  bool slow;
  int rc;
};

static void *take_devices(void *arg)
{
  struct job *j = arg;
  struct series s;
  struct tm_error err;
  while ((j->rc = rrd_source_next(j->src, j->number, &s, &err)) > 0) {
    atomic_fetch_add(&j->seen[s.index], 1);
    atomic_fetch_add(j->refused, s.n_refused);
    if (s.n_refused == 0 && (s.n < 1000 || s.maxima.n != 30))
      atomic_fetch_add(&j->seen[s.index], 100);
    if (j->slow)
      usleep(1000);
  }
  return NULL;
}

/* The processes that read: children of the keeper, which is this process's child. */
static size_t find_children(pid_t parent, pid_t *out, size_t max)
{
  char path[64];
  size_t n = 0;
  DIR *d = opendir("/proc");
  assert_non_null(d);
  struct dirent *e;
  while ((e = readdir(d)) != NULL && n < max) {
    int pid = atoi(e->d_name);
    int its_parent = 0;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *f = pid > 0 ? fopen(path, "r") : NULL;
    if (f == NULL)
      continue;
    if (fscanf(f, "%*d (%*[^)]) %*c %d", &its_parent) == 1 && its_parent == parent)
      out[n++] = pid;
    fclose(f);
  }
  closedir(d);
  return n;
}

static size_t read_fleet(unsigned jobs, int kills, bool slow, size_t *refused)
{
  struct rrd_options o = OPTIONS;
  struct tm_error err = {0};
  struct rrd_source *src = open_source("fleet", &o);
  static atomic_int seen[FLEET];
  atomic_size_t refusals = 0;
  struct job job[8];
  memset(seen, 0, sizeof(seen));
  assert_int_equal(rrd_source_count(src), FLEET);
  if (rrd_source_start(src, jobs, &err) < 0)
    fail_msg("%s", err.text);
  for (unsigned i = 0; i < jobs; i++) {
    job[i] =
        (struct job){.src = src, .number = i, .seen = seen, .refused = &refusals, .slow = slow};
    assert_int_equal(pthread_create(&job[i].thread, NULL, take_devices, &job[i]), 0);
  }
  size_t killed = 0;
  pid_t keeper;
  assert_int_equal(find_children(getpid(), &keeper, 1), 1);
  for (int i = 0; i < kills; i++) {
    pid_t worker[8];
    size_t n = find_children(keeper, worker, 8);
    usleep(1500);
    if (n > 0 && kill(worker[(size_t)i % n], i % 2 != 0 ? SIGABRT : SIGKILL) == 0)
      killed++;
  }
  for (unsigned i = 0; i < jobs; i++) {
    pthread_join(job[i].thread, NULL);
    assert_int_equal(job[i].rc, 0);
  }
  rrd_source_free(src);
  assert_int_equal(find_children(getpid(), &keeper, 1), 0);
  for (size_t i = 0; i < FLEET; i++)
    if (seen[i] != 1)
      fail_msg("device %zu came %d times", i, seen[i]);
  *refused = refusals;
  return killed;
}

static void jobs_share_the_devices(void **state)
{
  (void)state;
  size_t refused;
  for (unsigned jobs = 1; jobs <= 8; jobs *= 2) {
    read_fleet(jobs, 0, jobs == 2, &refused);
    assert_int_equal(refused, 0);
  }
}

static void a_dead_worker_costs_the_file_in_hand(void **state)
{
  (void)state;
  size_t killed = 0;
  /* On a busy machine a fleet may be read before many could be killed: then again. */
  for (int round = 0; round < 20 && killed < 10; round++) {
    size_t refused, now = read_fleet(2, 30, true, &refused);
    assert_true(refused <= now);
    killed += now;
  }
  assert_true(killed >= 10);
}

static void a_source_may_be_left_in_the_middle(void **state)
{
  (void)state;
  struct rrd_options o = OPTIONS;
  struct tm_error err;
  struct series s;
  pid_t child;
  struct rrd_source *src = open_source("fleet", &o);
  assert_int_equal(rrd_source_start(src, 2, &err), 0);
  assert_int_equal(rrd_source_next(src, 1, &s, &err), 1);
  rrd_source_free(src);
  assert_int_equal(find_children(getpid(), &child, 1), 0);
}

static void shards_are_disjoint_and_complete(void **state)
{
  (void)state;
  size_t sum = 0;
  char seen[FLEET + 1] = {0};
  for (unsigned i = 0; i < 4; i++) {
    struct rrd_options o = {.as_of = INT64_MIN, .shard = i, .shards = 4};
    struct rrd_source *src = open_source("fleet", &o);
    size_t n = rrd_source_count(src);
    assert_in_range(n, FLEET / 8, FLEET / 2);
    sum += n;
    for (size_t k = 0; k < n; k++) {
      int number = atoi(rrd_source_device(src, k).device + 1);
      assert_in_range(number, 1, FLEET);
      assert_int_equal(seen[number]++, 0);
    }
    rrd_source_free(src);
  }
  assert_int_equal(sum, FLEET);
}

int main(void)
{
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(jobs_share_the_devices),
      cmocka_unit_test(a_dead_worker_costs_the_file_in_hand),
      cmocka_unit_test(a_source_may_be_left_in_the_middle),
      cmocka_unit_test(shards_are_disjoint_and_complete),
  };
  return cmocka_run_group_tests(tests, make_fleet, test_folder_remove);
}
