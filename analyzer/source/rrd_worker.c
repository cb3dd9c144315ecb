/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_worker.h"

#include "analyzer/source/rrd_sandbox.h"
#include "analyzer/source/rrd_send.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define WARM_CHUNKS 4  /* so many that needed no disk end a warmer */
#define COLD_BLOCKS 64 /* of 512 bytes, in a chunk: more is no chance page */

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

static int open_device(const struct rrd_scan *scan, const struct rrd_entry *e)
{
  return openat(scan->root, rrd_scan_text(scan, e->place),
                O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
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
    fd = open_device(w->scan, e);
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

void rrd_worker_run(const struct rrd_scan *scan, const struct rrd_wanted *wanted,
                    struct rrd_shared *shared, unsigned lane)
{
  struct worker w = {.scan = scan, .shared = shared, .lane = &shared->lane[lane]};
  struct rrd_reader *reader = rrd_reader_new(wanted);
  w.root_len = strnlen(scan->path, PATH_MAX);
  memcpy(w.place, scan->path, w.root_len);
  if (reader == NULL)
    _exit(RRD_EXIT_MEMORY);
  if (rrd_sandbox_enter(scan->root) == -ENOMEM)
    _exit(RRD_EXIT_MEMORY); /* confined or not at all */
  rrd_send_begin(&w.sender, w.lane, rrd_ring(shared, lane));
  work(&w, lane, reader);
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
  int fd = open_device(scan, e);
  if (fd < 0)
    return;
  rrd_reader_load(reader, fd, "", e->only != 0 ? rrd_scan_text(scan, e->only) : NULL, e->recipe,
                  &silent, &s);
  close(fd);
}

void rrd_warmer_run(const struct rrd_scan *scan, const struct rrd_wanted *wanted,
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
