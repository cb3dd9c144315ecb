/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_file.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The format on disk, as a 64-bit little-endian machine lays it out. */
union cell {
  uint64_t count;
  double value;
};
struct disk_head {
  char cookie[4];
  char version[5];
  char pad[7];
  double float_cookie;
  uint64_t ds_cnt;
  uint64_t rra_cnt;
  uint64_t pdp_step;
  union cell par[10];
};
struct disk_ds {
  char name[20];
  char type[20];
  union cell par[10]; /* heartbeat, minimum, maximum */
};
struct disk_rra {
  char cf[20];
  char pad[4];
  uint64_t row_cnt;
  uint64_t pdp_cnt;
  union cell par[10]; /* xff */
};
struct disk_pdp {
  char last[30];
  char pad[2];
  union cell scratch[10];
};
#define CDP_SIZE 80
_Static_assert(sizeof(struct disk_head) == 128, "stat_head_t");
_Static_assert(sizeof(struct disk_ds) == 120, "ds_def_t");
_Static_assert(sizeof(struct disk_rra) == 120, "rra_def_t");
_Static_assert(sizeof(struct disk_pdp) == 112, "pdp_prep_t");

#define FIRST_READ   4096
#define FLOAT_COOKIE 8.642135E130
#define YEAR_S       31622400
#define LAST_SECOND  253402300799LL /* 9999-12-31 */
#define MAX_SPAN_S   (200LL * YEAR_S)
#define SMALL_BYTES  16384 /* an archive up to this size is read whole: one call in place of two */

/* A writer holds its lock for some milliseconds; one that was stopped in the middle holds it for
 * ever. */
#define TRIES      400
#define PAUSE_NS   5000000
#define FAST_TRIES 8

void rrd_file_init(struct rrd_file *f)
{
  f->fd = -1;
  f->sparing = false;
  f->folder = f->name = "";
  f->header = f->small;
  f->large = NULL;
  f->large_size = 0;
  f->n_ds = f->n_archives = 0;
  f->header_size = 0;
  f->proven = 0;
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

/* -EBADMSG: the file is damaged, or is no RRD. */
static int refuse(const struct rrd_file *f, struct tm_error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int refuse(const struct rrd_file *f, struct tm_error *err, const char *fmt, ...)
{
  char why[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(why, sizeof(why), fmt, ap);
  va_end(ap);
  return tm_fail(err, -EBADMSG, "%s%s%s: %s", f->folder, f->folder[0] != '\0' ? "/" : "", f->name,
                 why);
}

static int read_at(const struct rrd_file *f, void *to, size_t n, uint64_t offset,
                   struct tm_error *err)
{
  size_t done = 0;
  while (done < n) {
    ssize_t got = pread(f->fd, (char *)to + done, n - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      int code = -errno;
      refuse(f, err, "%s", strerror(-code));
      return code;
    }
    if (got == 0)
      return refuse(f, err, "became shorter while it was read");
    done += (size_t)got;
  }
  return 0;
}

static const struct disk_head *head_of(const struct rrd_file *f)
{
  return (const struct disk_head *)(const void *)f->header;
}

static const struct disk_ds *ds_of(const struct rrd_file *f, size_t i)
{
  return (const struct disk_ds *)(const void *)(f->header + sizeof(struct disk_head)) + i;
}

static const struct disk_rra *rra_of(const struct rrd_file *f, size_t i)
{
  return (const struct disk_rra *)(const void *)(f->header + sizeof(struct disk_head) +
                                                 f->n_ds * sizeof(struct disk_ds)) +
         i;
}

static const struct disk_pdp *pdp_of(const struct rrd_file *f, size_t i)
{
  return (const struct disk_pdp *)(const void *)(f->header + f->live_offset + f->live_size) + i;
}

/* Layouts of other machines, told apart so that the reason helps: where the float cookie lies and
 * which way round it is. */
static const char *foreign_layout(const char *h, size_t n)
{
  static const double cookie = FLOAT_COOKIE;
  unsigned char little[8];
  unsigned char big[8];
  memcpy(little, &cookie, 8);
  for (int i = 0; i < 8; i++)
    big[i] = little[7 - i];
  for (size_t at = 9; at + 8 <= n && at <= 24; at++) {
    if (memcmp(h + at, big, 8) == 0)
      return "written by a big-endian machine; convert it with 'rrdtool dump' there and 'rrdtool "
             "restore' here";
    if (memcmp(h + at, little, 8) == 0)
      return "written in another layout (a 32-bit machine's); convert it with 'rrdtool dump' there "
             "and 'rrdtool restore' here";
  }
  return "damaged header: the float cookie is missing";
}

static int check_identity(const struct rrd_file *f, size_t n, struct tm_error *err)
{
  if (f->size == 0)
    return refuse(f, err, "is empty");
  if (n < 4 || memcmp(f->header, "RRD", 4) != 0)
    return refuse(f, err, "is not an RRD file");
  if (n < sizeof(struct disk_head))
    return refuse(f, err, "truncated: %llu bytes", (unsigned long long)f->size);
  const struct disk_head *h = head_of(f);
  if (memcmp(h->version, "000", 3) != 0 || h->version[3] < '1' || h->version[3] > '5' ||
      h->version[4] != '\0')
    return refuse(f, err, "unknown RRD version '%.4s'", h->version);
  if (h->float_cookie != FLOAT_COOKIE)
    return refuse(f, err, "%s", foreign_layout(f->header, n));
  if (h->ds_cnt >> 32 != 0 && (h->ds_cnt & UINT32_MAX) - 1 < RRD_MAX_DS &&
      (h->ds_cnt >> 32) - 1 < RRD_MAX_RRA)
    return refuse(f, err,
                  "written in another layout (a 32-bit machine's); convert it with 'rrdtool dump' "
                  "there and 'rrdtool restore' here");
  if (h->ds_cnt < 1 || h->ds_cnt > RRD_MAX_DS)
    return refuse(f, err, "damaged header: %llu data sources", (unsigned long long)h->ds_cnt);
  if (h->rra_cnt < 1 || h->rra_cnt > RRD_MAX_RRA)
    return refuse(f, err, "damaged header: %llu archives", (unsigned long long)h->rra_cnt);
  if (h->pdp_step < 1 || h->pdp_step > YEAR_S)
    return refuse(f, err, "damaged header: a step of %llu s", (unsigned long long)h->pdp_step);
  return 0;
}

/* Sizes of the header's parts. The counts are bounded already: nothing can overflow. */
static int measure_header(struct rrd_file *f, struct tm_error *err)
{
  const struct disk_head *h = head_of(f);
  f->n_ds = h->ds_cnt;
  f->n_archives = h->rra_cnt;
  f->live_size = h->version[3] < '3' ? 8 : 16;
  f->live_offset = sizeof(struct disk_head) + f->n_ds * sizeof(struct disk_ds) +
                   f->n_archives * sizeof(struct disk_rra);
  f->pointer_offset = f->live_offset + f->live_size + f->n_ds * sizeof(struct disk_pdp) +
                      f->n_archives * f->n_ds * CDP_SIZE;
  f->header_size = f->pointer_offset + f->n_archives * sizeof(uint64_t);
  if (f->header_size > f->size)
    return refuse(f, err, "truncated: %llu bytes, and its header alone has %zu",
                  (unsigned long long)f->size, f->header_size);
  if (f->header_size > RRD_MAX_HEADER)
    return refuse(f, err, "its header has %zu bytes, more than is accepted", f->header_size);
  return 0;
}

/* Makes room for a large header, keeping the bytes that are read already. */
static int use_large_header(struct rrd_file *f, size_t have, struct tm_error *err)
{
  if (f->large_size < f->header_size) {
    char *p = realloc(f->large, f->header_size);
    if (p == NULL) {
      refuse(f, err, "out of memory");
      return -ENOMEM;
    }
    f->large = p;
    f->large_size = f->header_size;
  }
  memcpy(f->large, f->small, have);
  f->header = f->large;
  return 0;
}

/* True when this header is, but for what updates change, the one that was checked before: then the
 * table of archives still holds. */
static bool is_proven(const struct rrd_file *f, size_t n)
{
  return f->proven > 0 && f->proven <= n && f->size == f->proven_size &&
         memcmp(f->header, f->proven_header, f->proven) == 0;
}

/* Reads the header and checks its beginning. *proven: nothing is left to check but the live part.
 */
static int read_header(struct rrd_file *f, bool *proven, struct tm_error *err)
{
  f->header = f->small;
  size_t n = f->proven > 0 ? f->header_size : FIRST_READ;
  n = f->size < n ? (size_t)f->size : n;
  int rc = read_at(f, f->header, n, 0, err);
  *proven = rc == 0 && is_proven(f, n);
  if (rc < 0 || *proven)
    return rc;
  f->proven = 0;
  rc = check_identity(f, n, err);
  if (rc == 0)
    rc = measure_header(f, err);
  if (rc == 0 && f->header_size > RRD_SMALL_HEADER)
    rc = use_large_header(f, n, err);
  if (rc == 0 && f->header_size > n)
    rc = read_at(f, f->header + n, f->header_size - n, n, err);
  return rc;
}

static bool is_word(const char *s, size_t size, bool capitals_only)
{
  size_t n = strnlen(s, size);
  if (n == 0 || n == size)
    return false;
  for (size_t i = 0; i < n; i++) {
    char c = s[i];
    bool capital = c >= 'A' && c <= 'Z';
    bool other = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!capital && (capitals_only || !other))
      return false;
  }
  return true;
}

static bool is_one_of(const char *word, const char *const *list)
{
  for (; *list != NULL; list++)
    if (strcmp(word, *list) == 0)
      return true;
  return false;
}

static int check_sources(const struct rrd_file *f, struct tm_error *err)
{
  static const char *const types[] = {"GAUGE",   "COUNTER",  "DERIVE",  "ABSOLUTE",
                                      "COMPUTE", "DCOUNTER", "DDERIVE", NULL};
  for (size_t i = 0; i < f->n_ds; i++) {
    const struct disk_ds *d = ds_of(f, i);
    if (!is_word(d->name, sizeof(d->name), false))
      return refuse(f, err, "damaged header: the name of data source %zu", i);
    if (!is_word(d->type, sizeof(d->type), true) || !is_one_of(d->type, types))
      return refuse(f, err, "damaged header: the type of data source %zu", i);
  }
  return 0;
}

static int consolidation(const struct disk_rra *r, enum rrd_cf *cf)
{
  static const char *const plain[] = {"AVERAGE", "MIN", "MAX", "LAST"};
  static const char *const others[] = {"HWPREDICT",   "MHWPREDICT", "SEASONAL", "DEVPREDICT",
                                       "DEVSEASONAL", "FAILURES",   NULL};
  if (!is_word(r->cf, sizeof(r->cf), true))
    return -EBADMSG;
  for (int i = 0; i < 4; i++) {
    if (strcmp(r->cf, plain[i]) == 0) {
      *cf = (enum rrd_cf)i;
      return 0;
    }
  }
  *cf = RRD_CF_OTHER;
  return is_one_of(r->cf, others) ? 0 : -EBADMSG;
}

/* One archive; *offset moves on over its rows. */
static int check_archive(struct rrd_file *f, size_t i, uint64_t *offset, struct tm_error *err)
{
  const struct disk_rra *r = rra_of(f, i);
  struct rrd_archive *a = &f->archive[i];
  uint64_t bytes = 0;
  if (consolidation(r, &a->cf) < 0)
    return refuse(f, err, "damaged header: archive %zu has an unknown kind", i);
  if (r->row_cnt < 1 || r->row_cnt > RRD_MAX_ROWS)
    return refuse(f, err, "damaged header: archive %zu has %llu rows", i,
                  (unsigned long long)r->row_cnt);
  if (r->pdp_cnt < 1 || __builtin_mul_overflow(r->pdp_cnt, head_of(f)->pdp_step, &a->span) ||
      a->span < 1 || a->span > MAX_SPAN_S)
    return refuse(f, err, "damaged header: archive %zu has %llu steps a row", i,
                  (unsigned long long)r->pdp_cnt);
  if (__builtin_mul_overflow(r->row_cnt, (uint64_t)f->n_ds * sizeof(double), &bytes) ||
      __builtin_add_overflow(*offset, bytes, offset))
    return refuse(f, err, "damaged header: archive %zu is too large", i);
  if (*offset > f->size)
    return refuse(f, err, "truncated: %llu bytes, and archive %zu of %zu would end at %llu",
                  (unsigned long long)f->size, i, f->n_archives, (unsigned long long)*offset);
  a->rows = r->row_cnt;
  a->offset = *offset - bytes;
  a->xff = r->par[0].value;
  return 0;
}

static int check_archives(struct rrd_file *f, struct tm_error *err)
{
  uint64_t offset = f->header_size;
  for (size_t i = 0; i < f->n_archives; i++) {
    int rc = check_archive(f, i, &offset, err);
    if (rc < 0)
      return rc;
  }
  if (offset != f->size)
    return refuse(f, err, "%llu bytes longer than its header says",
                  (unsigned long long)(f->size - offset));
  return 0;
}

/* What a writer changes: the time of the last update and where the rows begin. */
static int check_live(struct rrd_file *f, int64_t latest, struct tm_error *err)
{
  memcpy(&f->last_update, f->header + f->live_offset, sizeof(f->last_update));
  if (f->last_update < 0 || f->last_update > LAST_SECOND)
    return refuse(f, err, "damaged header: the time of its last update");
  if (latest != 0 && f->last_update > latest)
    return refuse(f, err, "its last update lies in the future (%lld)", (long long)f->last_update);
  f->step = (int64_t)head_of(f)->pdp_step;
  const char *pointers = f->header + f->pointer_offset;
  for (size_t i = 0; i < f->n_archives; i++) {
    struct rrd_archive *a = &f->archive[i];
    memcpy(&a->current, pointers + i * sizeof(uint64_t), sizeof(a->current));
    if (a->current >= a->rows)
      return refuse(f, err, "damaged header: the row pointer of archive %zu", i);
    a->newest = f->last_update - f->last_update % a->span;
  }
  return 0;
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
  int rc = read_at(f, now, f->live_size, f->live_offset, err);
  if (rc < 0)
    return rc;
  return memcmp(now, f->header + f->live_offset, f->live_size) != 0;
}

static void remember_proven(struct rrd_file *f)
{
  f->proven = f->header_size <= FIRST_READ ? f->live_offset : 0;
  f->proven_size = f->size;
  memcpy(f->proven_header, f->header, f->proven);
}

/* One look at the file: 0, 1 when it has to be repeated, or a failure. */
static int visit_once(struct rrd_file *f, int64_t latest, rrd_visit_fn *visit, void *ctx,
                      struct tm_error *err)
{
  bool proven;
  int rc = read_header(f, &proven, err);
  if (rc == 0 && !proven)
    rc = check_sources(f, err);
  if (rc == 0 && !proven)
    rc = check_archives(f, err);
  if (rc == 0 && !proven)
    remember_proven(f);
  if (rc == 0)
    rc = check_live(f, latest, err);
  if (rc == 0 && visit != NULL)
    rc = visit(f, ctx, err);
  return rc == 0 && visit != NULL ? is_stale(f, err) : rc;
}

int rrd_file_visit(struct rrd_file *f, int folder_fd, const char *folder, const char *name,
                   int64_t latest, rrd_visit_fn *visit, void *ctx, struct tm_error *err)
{
  struct stat st;
  f->folder = folder;
  f->name = name;
  f->fd = tm_file_open_at(folder_fd, folder, name, &st, err);
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
    refuse(f, err, "is being written all the time");
    rc = -EBUSY;
  }
  close_file(f);
  return rc;
}

static double bounded(const struct disk_ds *d, double v)
{
  double low = d->par[1].value;
  double high = d->par[2].value;
  return (low == low && v < low) || (high == high && v > high) ? NAN : v;
}

void rrd_file_source(const struct rrd_file *f, size_t ds, struct rrd_data_source *out)
{
  const struct disk_ds *d = ds_of(f, ds);
  memcpy(out->name, d->name, sizeof(out->name));
  memcpy(out->type, d->type, sizeof(out->type));
  out->heartbeat = strcmp(d->type, "COMPUTE") == 0 ? 0 : d->par[0].count;
  out->newest = NAN;
  if (strcmp(d->type, "GAUGE") != 0)
    return;
  char text[sizeof(pdp_of(f, ds)->last) + 1];
  memcpy(text, pdp_of(f, ds)->last, sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  char *end = NULL;
  double v = strtod(text, &end);
  if (end != text && *end == '\0' && isfinite(v))
    out->newest = bounded(d, v);
}

int rrd_file_find(const struct rrd_file *f, const char *name)
{
  for (size_t i = 0; i < f->n_ds; i++)
    if (strcmp(ds_of(f, i)->name, name) == 0)
      return (int)i;
  return -1;
}

int rrd_file_archive(const struct rrd_file *f, enum rrd_cf cf, int64_t from)
{
  int best = -1;
  int64_t best_start = 0;
  for (size_t i = 0; i < f->n_archives; i++) {
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
  size_t row_size = f->n_ds * sizeof(double);
  uint64_t at_once = sizeof(f->rows) / row_size;
  while (n > 0) {
    uint64_t part = n < at_once ? n : at_once;
    int rc = read_at(f, f->rows, (size_t)part * row_size, a->offset + first * row_size, err);
    if (rc < 0)
      return rc;
    fn(ctx, end, a->span, f->rows + ds, (size_t)part, f->n_ds);
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
  size_t row_size = f->n_ds * sizeof(double);
  if (before_wrap < n && a->rows * row_size <= SMALL_BYTES) {
    int rc = read_at(f, f->rows, (size_t)a->rows * row_size, a->offset, err);
    if (rc < 0)
      return rc;
    fn(ctx, end, span, f->rows + first * f->n_ds + ds, (size_t)before_wrap, f->n_ds);
    fn(ctx, end2, span, f->rows + ds, (size_t)(n - before_wrap), f->n_ds);
    return 0;
  }
  int rc = give_rows(f, a, ds, first, before_wrap, end, fn, ctx, err);
  if (rc == 0 && before_wrap < n)
    rc = give_rows(f, a, ds, 0, n - before_wrap, end2, fn, ctx, err);
  return rc;
}
