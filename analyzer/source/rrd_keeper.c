/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_keeper.h"

#include "analyzer/source/rrd_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HANG_S     60  /* one file may take as long, then its worker is ended */
#define MAX_IDLE   5   /* deaths without a file in hand before the device is left out */
#define MAX_DEATHS 100 /* and before the keeper gives up */
#define TICKS      20  /* a second, at which the keeper looks around */
#define WARMERS    24  /* processes that read ahead of a cold page cache */

struct keeper {
  pid_t pid;
  const struct rrd_scan *scan;
  const struct rrd_wanted *wanted;
  struct rrd_shared *shared;
  unsigned n;
  unsigned alive;
  struct kept {
    pid_t pid;     /* 0: has ended */
    uint64_t seen; /* of its progress, when the keeper looked last */
    unsigned same_s;
    bool hung;
    size_t idle_device; /* at which it died without a file in hand, and how often */
    unsigned idle;
  } kept[RRD_MAX_JOBS];
};

/* Keeps standard error (for the sanitizers) and the root folder. */
static void close_others(int root)
{
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
  }
  if (root > STDERR_FILENO + 1)
    close_range(STDERR_FILENO + 1, (unsigned)root - 1, 0);
  close_range((unsigned)root + 1, ~0U, 0);
}

/* The first steps of a child: it ends with its parent, also when that is gone already. */
static void begin_child(pid_t parent, const char *name)
{
  sigset_t none;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(0);
  prctl(PR_SET_NAME, name);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static void leave_out(struct rrd_lane *lane, size_t device, const char *file, const char *why)
{
  if (lane->n_skips == RRD_LANE_SKIPS) { /* a device full of them: all of it, in the last place */
    file = "";
    lane->n_skips--;
  }
  struct rrd_skip *s = &lane->skip[lane->n_skips++];
  s->device = device;
  snprintf(s->file, sizeof(s->file), "%s", file);
  snprintf(s->why, sizeof(s->why), "%s", why);
}

/* Works out what a worker died of, for its successor. */
static void blame(struct keeper *k, unsigned i, int status)
{
  struct rrd_lane *lane = &k->shared->lane[i];
  struct kept *kept = &k->kept[i];
  char why[96];
  if (kept->hung)
    snprintf(why, sizeof(why), "reading it took more than %d s", HANG_S);
  else if (WIFSIGNALED(status))
    snprintf(why, sizeof(why), "the reading process died of it (%s)", strsignal(WTERMSIG(status)));
  else
    snprintf(why, sizeof(why), "the reading process ended at it (status %d)", WEXITSTATUS(status));
  if (atomic_load(&lane->in_hand) % 2 == 1) {
    lane->hand_file[sizeof(lane->hand_file) - 1] = '\0';
    leave_out(lane, lane->hand_device, lane->hand_file, why);
    atomic_fetch_add(&lane->in_hand, 1);
    return;
  }
  if (kept->idle_device != lane->working)
    kept->idle = 0;
  kept->idle_device = lane->working;
  kept->idle++;
  if (kept->idle == MAX_IDLE)
    leave_out(lane, lane->working, "", why);
  if (kept->idle == MAX_DEATHS)
    _exit(RRD_EXIT_MEMORY); /* it is not the device: the jobs see that everything has ended */
}

static void start_worker(struct keeper *k, unsigned i)
{
  struct kept *kept = &k->kept[i];
  kept->pid = fork();
  if (kept->pid == 0) {
    begin_child(k->pid, "tidemark-read");
    rrd_worker_run(k->scan, k->wanted, k->shared, i);
  }
  kept->same_s = 0;
  kept->hung = false;
  if (kept->pid < 0)
    _exit(RRD_EXIT_MEMORY); /* the jobs see that everything has ended */
}

/* Nothing is lost when one of these dies: they are not missed. */
static void start_warmers(struct keeper *k)
{
  atomic_store(&k->shared->warm_next, atomic_load(&k->shared->free_hint) + k->n);
  for (int i = 0; i < WARMERS; i++) {
    if (fork() != 0)
      continue;
    begin_child(k->pid, "tidemark-ahead");
    rrd_warmer_run(k->scan, k->wanted, k->shared);
  }
}

static void reap(struct keeper *k)
{
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (unsigned i = 0; i < k->n; i++) {
      if (k->kept[i].pid != pid)
        continue;
      k->kept[i].pid = 0;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        k->alive--;
      } else if (WIFEXITED(status) && WEXITSTATUS(status) == RRD_EXIT_MEMORY) {
        _exit(RRD_EXIT_MEMORY);
      } else {
        blame(k, i, status);
        start_worker(k, i);
      }
    }
  }
}

/* Ends workers that have not moved for too long, but for those that wait for their job. */
static void watch(struct keeper *k)
{
  for (unsigned i = 0; i < k->n; i++) {
    struct kept *kept = &k->kept[i];
    struct rrd_lane *lane = &k->shared->lane[i];
    uint64_t progress = atomic_load(&lane->in_hand) + atomic_load(&lane->written);
    bool same = progress == kept->seen && atomic_load(&lane->writer_waits) == 0;
    kept->same_s = same ? kept->same_s + 1 : 0;
    kept->seen = progress;
    if (kept->pid > 0 && kept->same_s > HANG_S) {
      kept->hung = true;
      kill(kept->pid, SIGKILL);
    }
  }
}

/* Handlers of the program mean nothing here, and workers are to die of what kills them. */
static void reset_signals(void)
{
  for (int i = 1; i < NSIG; i++)
    signal(i, SIG_DFL);
}

static void run_keeper(struct keeper *k, pid_t parent)
{
  sigset_t child;
  begin_child(parent, "tidemark-keep");
  k->pid = getpid();
  close_others(k->scan->root);
  reset_signals();
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  for (unsigned i = 0; i < k->n; i++)
    start_worker(k, i);
  k->alive = k->n;
  bool warming = false;
  for (unsigned ticks = 0; k->alive > 0;) {
    struct timespec tick = {.tv_nsec = 1000000000 / TICKS};
    if (sigtimedwait(&child, NULL, &tick) < 0 && errno == EAGAIN && ++ticks % TICKS == 0)
      watch(k);
    reap(k);
    if (warming || atomic_load(&k->shared->cold) == 0)
      continue;
    warming = true;
    start_warmers(k);
  }
  _exit(0);
}

/* --- the program ----------------------------------------------------------------------------- */

int rrd_workers_start(struct rrd_workers *w, const struct rrd_scan *scan,
                      const struct rrd_wanted *wanted, unsigned n, struct tm_error *err)
{
  struct keeper k = {.scan = scan, .wanted = wanted, .n = n};
  *w = (struct rrd_workers){.n = n, .size = rrd_shared_size(n, scan->n)};
  w->shared = mmap(NULL, w->size, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (w->shared == MAP_FAILED) {
    w->shared = NULL;
    return tm_fail(err, -ENOMEM, "memory for %u readers: %s", n, strerror(errno));
  }
  rrd_shared_init(w->shared, n, scan->n);
  k.shared = w->shared;
  tzset(); /* the zone's file is out of reach of a worker */
  pid_t parent = getpid();
  w->keeper = fork();
  if (w->keeper == 0)
    run_keeper(&k, parent);
  if (w->keeper < 0) {
    int code = -errno;
    w->keeper = 0;
    rrd_workers_stop(w, false);
    return tm_fail(err, code, "cannot start readers: %s", strerror(-code));
  }
  return 0;
}

void rrd_workers_stop(struct rrd_workers *w, bool over)
{
  if (w->keeper > 0) {
    if (!over)
      kill(w->keeper, SIGKILL); /* and its workers with it */
    waitpid(w->keeper, NULL, 0);
  }
  if (w->shared != NULL)
    munmap(w->shared, w->size);
  *w = (struct rrd_workers){0};
}

bool rrd_workers_ended(const struct rrd_workers *w)
{
  siginfo_t info = {0};
  if (w->keeper <= 0)
    return true;
  return waitid(P_PID, (id_t)w->keeper, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}
