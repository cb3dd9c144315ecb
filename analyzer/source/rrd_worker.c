/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_worker.h"

#include "analyzer/source/rrd_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HANG_S      60  /* one file may take as long, then its worker is ended */
#define MAX_IDLE    5   /* deaths without a file in hand before the device is left out */
#define MAX_DEATHS  100 /* and before the keeper gives up */
#define TICKS       20  /* a second, at which the keeper looks around */
#define EXIT_MEMORY 71
#define WARMERS     24 /* processes that read ahead of a cold page cache */
#define WARM_CHUNKS 4  /* so many that needed no disk end one of them */
#define COLD_BLOCKS 64 /* of 512 bytes, in a chunk: more is no chance page */

/* --- the worker ------------------------------------------------------------------------------ */

struct worker {
  const struct rrd_scan *scan;
  struct rrd_shared *shared;
  struct rrd_lane *lane;
  struct rrd_sender sender;
  size_t device;
  uint32_t n_refused; /* of the device */
  size_t root_len;
  char place[PATH_MAX + 2 * NAME_MAX + 3]; /* begins with the root's path */
};

static const struct rrd_skip *find_skip(const struct worker *w, const char *file)
{
  for (uint32_t i = 0; i < w->lane->n_skips; i++)
    if (w->lane->skip[i].device == w->device && strcmp(w->lane->skip[i].file, file) == 0)
      return &w->lane->skip[i];
  return NULL;
}

/* The path of the device's folder, for messages. */
static const char *place_of(struct worker *w)
{
  const char *place = rrd_scan_text(w->scan, w->scan->entry[w->device].place);
  size_t n = strlen(place);
  w->place[w->root_len] = '\0';
  if (strcmp(place, ".") != 0 && w->root_len + n + 2 <= sizeof(w->place)) {
    w->place[w->root_len] = '/';
    memcpy(w->place + w->root_len + 1, place, n + 1);
  }
  return w->place;
}

static void on_refused(void *ctx, const char *text)
{
  struct worker *w = ctx;
  rrd_send_refusal(&w->sender, w->device, w->n_refused++, text);
}

static bool on_begin(void *ctx, const char *file)
{
  struct worker *w = ctx;
  struct rrd_lane *lane = w->lane;
  const struct rrd_skip *skip = lane->n_skips == 0 ? NULL : find_skip(w, file);
  if (skip != NULL) {
    char text[1024];
    snprintf(text, sizeof(text), "%s/%s: %s", place_of(w), file, skip->why);
    on_refused(w, text);
    return false;
  }
  lane->hand_device = w->device;
  size_t n = strnlen(file, sizeof(lane->hand_file) - 1);
  memcpy(lane->hand_file, file, n);
  lane->hand_file[n] = '\0';
  atomic_fetch_add(&lane->in_hand, 1);
  return true;
}

static void on_end(void *ctx)
{
  struct worker *w = ctx;
  atomic_fetch_add(&w->lane->in_hand, 1);
}

static void read_device(struct worker *w, struct rrd_reader *reader)
{
  const struct rrd_watch callbacks = {on_begin, on_end, on_refused, w};
  const struct rrd_entry *e = &w->scan->entry[w->device];
  struct series s = {0};
  const char *place = place_of(w);
  int fd = -1;
  w->lane->working = w->device;
  w->n_refused = 0;
  const struct rrd_skip *skip = w->lane->n_skips == 0 ? NULL : find_skip(w, "");
  const char *why = skip != NULL ? skip->why : NULL;
  if (why == NULL) {
    fd = openat(w->scan->root, rrd_scan_text(w->scan, e->place),
                O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    why = fd < 0 ? strerror(errno) : NULL;
  }
  if (why != NULL) {
    char text[1024];
    snprintf(text, sizeof(text), "%s: %s", place, why);
    on_refused(w, text);
    s.observed_at = s.read_at = INT64_MIN;
    s.used_now = s.capacity_now = NAN;
  } else {
    rrd_reader_load(reader, fd, place, e->only != 0 ? rrd_scan_text(w->scan, e->only) : NULL,
                    e->recipe, &callbacks, &s);
    close(fd);
  }
  rrd_send_series(&w->sender, w->device, &s);
}

/* Blocks that this process has had read from a disk. */
static long disk_blocks(void)
{
  struct rusage u = {0};
  getrusage(RUSAGE_SELF, &u);
  return u.ru_inblock;
}

static void read_chunk(struct worker *w, size_t from, size_t stop, struct rrd_reader *reader)
{
  long before = disk_blocks();
  w->lane->cursor = w->sender.complete = from;
  for (w->device = from; w->device < stop; w->device++)
    read_device(w, reader);
  if (disk_blocks() - before > COLD_BLOCKS)
    atomic_store(&w->shared->cold, 1);
  rrd_send_publish(&w->sender);
}

/* Takes devices until there are none left; first what a predecessor did not complete. */
static void work(struct worker *w, unsigned lane, struct rrd_reader *reader)
{
  struct rrd_shared *shared = w->shared;
  size_t n = shared->n_devices;
  size_t chunk = rrd_lane_last(shared, lane);
  bool taken_over = chunk < n;
  for (;; taken_over = false) {
    if (!taken_over) {
      chunk = rrd_lane_claim(shared, lane);
      w->lane->n_skips = 0;
    }
    if (chunk >= n)
      return;
    size_t stop = chunk + RRD_LANE_CHUNK < n ? chunk + RRD_LANE_CHUNK : n;
    size_t done = taken_over && w->lane->cursor > chunk ? w->lane->cursor : chunk;
    if (done < stop)
      read_chunk(w, done, stop, reader);
  }
}

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

static void run_worker(const struct rrd_scan *scan, const struct rrd_wanted *wanted,
                       struct rrd_shared *shared, unsigned i)
{
  struct worker w = {.scan = scan, .shared = shared, .lane = &shared->lane[i]};
  struct rrd_reader *reader = rrd_reader_new(wanted);
  w.root_len = strnlen(scan->path, PATH_MAX);
  memcpy(w.place, scan->path, w.root_len);
  if (reader == NULL)
    _exit(EXIT_MEMORY);
  if (rrd_sandbox_enter(scan->root) == -ENOMEM)
    _exit(EXIT_MEMORY); /* confined or not at all */
  rrd_send_begin(&w.sender, w.lane, rrd_ring(shared, i));
  work(&w, i, reader);
  rrd_send_end(&w.sender);
  _exit(0);
}

/* --- reading ahead --------------------------------------------------------------------------- */

static bool any_file(void *ctx, const char *file)
{
  (void)ctx;
  return file[0] != '\0';
}

static void nothing(void *ctx)
{
  (void)ctx;
}

static void ignore(void *ctx, const char *text)
{
  (void)ctx;
  (void)text;
}

static void warm_device(const struct rrd_scan *scan, size_t device, struct rrd_reader *reader)
{
  static const struct rrd_watch silent = {any_file, nothing, ignore, NULL};
  const struct rrd_entry *e = &scan->entry[device];
  struct series s;
  int fd = openat(scan->root, rrd_scan_text(scan, e->place),
                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return;
  rrd_reader_load(reader, fd, "", e->only != 0 ? rrd_scan_text(scan, e->only) : NULL, e->recipe,
                  &silent, &s);
  close(fd);
}

/* Reads chunks that no worker has begun, until there are none or the disk is not needed. */
static void run_warmer(const struct rrd_scan *scan, const struct rrd_wanted *wanted,
                       struct rrd_shared *shared)
{
  struct rrd_wanted sparing = *wanted;
  sparing.sparing = true;
  struct rrd_reader *reader = rrd_reader_new(&sparing);
  if (reader == NULL || rrd_sandbox_enter(scan->root) == -ENOMEM)
    _exit(0);
  for (unsigned warm = 0; warm < WARM_CHUNKS;) {
    size_t first = atomic_fetch_add(&shared->warm_next, 1) * RRD_LANE_CHUNK;
    if (first >= shared->n_devices)
      break;
    if (first < atomic_load(&shared->free_hint) * RRD_LANE_CHUNK)
      continue; /* a worker was faster */
    long before = disk_blocks();
    for (size_t i = first; i < first + RRD_LANE_CHUNK && i < shared->n_devices; i++)
      warm_device(scan, i, reader);
    warm = disk_blocks() - before > COLD_BLOCKS ? 0 : warm + 1;
  }
  _exit(0);
}

/* --- the keeper ------------------------------------------------------------------------------ */

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
    _exit(EXIT_MEMORY); /* it is not the device: the jobs see that everything has ended */
}

static void start_worker(struct keeper *k, unsigned i)
{
  struct kept *kept = &k->kept[i];
  kept->pid = fork();
  if (kept->pid == 0) {
    begin_child(k->pid, "tidemark-read");
    run_worker(k->scan, k->wanted, k->shared, i);
  }
  kept->same_s = 0;
  kept->hung = false;
  if (kept->pid < 0)
    _exit(EXIT_MEMORY); /* the jobs see that everything has ended */
}

/* Nothing is lost when one of these dies: they are not missed. */
static void start_warmers(struct keeper *k)
{
  atomic_store(&k->shared->warm_next, atomic_load(&k->shared->free_hint) + k->n);
  for (int i = 0; i < WARMERS; i++) {
    if (fork() != 0)
      continue;
    begin_child(k->pid, "tidemark-ahead");
    run_warmer(k->scan, k->wanted, k->shared);
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
      } else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MEMORY) {
        _exit(EXIT_MEMORY);
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
