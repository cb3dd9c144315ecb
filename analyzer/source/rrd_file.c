/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_file.h"

#include "analyzer/source/rrd_header.h"
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SMALL_BYTES 16384 /* an archive up to this size is read whole: one call in place of two */

/* A writer holds its lock for some milliseconds; one that was stopped in the middle holds it for
 * ever. */
#define TRIES      400
#define PAUSE_NS   5000000
#define FAST_TRIES 8

void rrd_file_init(struct rrd_file *f)
{
  f->fd = -1;
  f->sparing = f->others_own = false;
  f->folder = f->name = "";
  f->header = f->small;
  f->large = NULL;
  f->large_size = 0;
  f->shape = (struct rrd_shape){0};
  f->next_layout = 0;
  for (size_t i = 0; i < RRD_LAYOUTS; i++)
    f->layout[i].shape.live_offset = 0;
}

static void close_file(struct rrd_file *f)
{
  if (f->fd >= 0)
    close(f->fd);
  f->fd = -1;
}

void rrd_file_release(struct rrd_file *f)
{
  close_file(f);
  free(f->large);
  rrd_file_init(f);
}

/*
 * True when somebody is writing at this moment: librrd holds a write lock over the whole update. It
 * is asked for, not taken. Where locks do not work there is none to be seen.
 */
static bool is_being_written(const struct rrd_file *f)
{
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  return fcntl(f->fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/*
 * 0 when what was read is one state of the file, 1 when it has to be read again.
 *
 * An update sets row pointers, then rows, then the time of the last update, which never stands
 * still. So header and rows belong together when no update was under way at one moment after the
 * rows were read, and the time is the same after that moment as before the rows: an update that was
 * under way at the first look would have changed it by then.
 */
static int is_stale(const struct rrd_file *f, struct tm_error *err)
{
  char now[16];
  if (is_being_written(f))
    return 1;
  int rc = rrd_read_at(f, now, f->shape.live_size, f->shape.live_offset, err);
  if (rc < 0)
    return rc;
  return memcmp(now, f->header + f->shape.live_offset, f->shape.live_size) != 0;
}

/* One look at the file: 0, 1 when it has to be repeated, or a failure. */
static int visit_once(struct rrd_file *f, int64_t latest, rrd_visit_fn *visit, void *ctx,
                      struct tm_error *err)
{
  int rc = rrd_header_read(f, latest, err);
  if (rc == 0 && visit != NULL)
    rc = visit(f, ctx, err);
  return rc == 0 && visit != NULL ? is_stale(f, err) : rc;
}

/* Without a new time of access, where that is allowed: a look at each file every hour would have
 * the disk write all their inodes once a day. */
static int open_quietly(struct rrd_file *f, int folder_fd, struct stat *st, struct tm_error *err)
{
  int fd = -EPERM;
  if (!f->others_own)
    fd = tm_file_open_at(folder_fd, f->folder, f->name, O_NOATIME, st, err);
  if (fd != -EPERM)
    return fd;
  f->others_own = true;
  return tm_file_open_at(folder_fd, f->folder, f->name, 0, st, err);
}

int rrd_file_visit(struct rrd_file *f, int folder_fd, const char *folder, const char *name,
                   int64_t latest, rrd_visit_fn *visit, void *ctx, struct tm_error *err)
{
  struct stat st;
  f->folder = folder;
  f->name = name;
  f->fd = open_quietly(f, folder_fd, &st, err);
  if (f->fd < 0)
    return f->fd;
  f->size = (uint64_t)st.st_size;
  if (f->sparing)
    posix_fadvise(f->fd, 0, 0, POSIX_FADV_RANDOM);
  int rc = 1;
  for (int i = 0; rc == 1 && i < TRIES; i++) {
    if (i >= FAST_TRIES)
      nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    rc = visit_once(f, latest, visit, ctx, err);
  }
  if (rc == 1) {
    rrd_refuse(f, err, "is being written all the time");
    rc = -EBUSY;
  }
  close_file(f);
  return rc;
}

int rrd_file_archive(const struct rrd_file *f, enum rrd_cf cf, int64_t from)
{
  int best = -1;
  int64_t best_start = 0;
  for (size_t i = 0; i < f->shape.n_archives; i++) {
    const struct rrd_archive *a = &f->archive[i];
    if (a->cf != cf)
      continue;
    /* The last row ends at newest; the first one begins here. */
    int64_t start = a->newest - (int64_t)a->rows * a->span;
    bool better = best < 0;
    if (!better && start <= from && best_start <= from)
      better = a->span < f->archive[best].span;
    else if (!better)
      better = start < best_start;
    if (better) {
      best = (int)i;
      best_start = start;
    }
  }
  return best;
}

/* A stretch of rows that lie one after the other in the file. */
static int give_rows(struct rrd_file *f, const struct rrd_archive *a, size_t ds, uint64_t first,
                     uint64_t n, int64_t end, rrd_rows_fn *fn, void *ctx, struct tm_error *err)
{
  size_t row_size = f->shape.n_ds * sizeof(double);
  uint64_t at_once = sizeof(f->rows) / row_size;
  while (n > 0) {
    uint64_t part = n < at_once ? n : at_once;
    int rc = rrd_read_at(f, f->rows, (size_t)part * row_size, a->offset + first * row_size, err);
    if (rc < 0)
      return rc;
    fn(ctx, end, a->span, f->rows + ds, (size_t)part, f->shape.n_ds);
    first += part;
    n -= part;
    end += (int64_t)part * a->span;
  }
  return 0;
}

int rrd_file_rows(struct rrd_file *f, size_t archive, size_t ds, int64_t after, int64_t until,
                  rrd_rows_fn *fn, void *ctx, struct tm_error *err)
{
  const struct rrd_archive *a = &f->archive[archive];
  int64_t span = a->span;
  int64_t oldest = a->newest - ((int64_t)a->rows - 1) * span;
  uint64_t skip = after < oldest ? 0 : (uint64_t)((after - oldest) / span) + 1;
  if (until < oldest || skip >= a->rows)
    return 0;
  uint64_t stop = until >= a->newest ? a->rows : (uint64_t)((until - oldest) / span) + 1;
  if (skip >= stop)
    return 0;
  /* Row k of time lies at (oldest_at + k) modulo rows. */
  uint64_t oldest_at = (a->current + 1) % a->rows;
  uint64_t first = (oldest_at + skip) % a->rows;
  uint64_t n = stop - skip;
  uint64_t before_wrap = a->rows - first < n ? a->rows - first : n;
  int64_t end = oldest + (int64_t)skip * span;
  int64_t end2 = end + (int64_t)before_wrap * span;
  size_t row_size = f->shape.n_ds * sizeof(double);
  if (before_wrap < n && a->rows * row_size <= SMALL_BYTES) {
    int rc = rrd_read_at(f, f->rows, (size_t)a->rows * row_size, a->offset, err);
    if (rc < 0)
      return rc;
    fn(ctx, end, span, f->rows + first * f->shape.n_ds + ds, (size_t)before_wrap, f->shape.n_ds);
    fn(ctx, end2, span, f->rows + ds, (size_t)(n - before_wrap), f->shape.n_ds);
    return 0;
  }
  int rc = give_rows(f, a, ds, first, before_wrap, end, fn, ctx, err);
  if (rc == 0 && before_wrap < n)
    rc = give_rows(f, a, ds, 0, n - before_wrap, end2, fn, ctx, err);
  return rc;
}
