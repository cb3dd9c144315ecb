/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_header.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

#define FLOAT_COOKIE 8.642135E130
#define YEAR_S       31622400
#define LAST_SECOND  253402300799LL /* 9999-12-31 */
#define MAX_SPAN_S   (200LL * YEAR_S)

/* --- reading and refusing --------------------------------------------------------------------- */

int rrd_refuse(const struct rrd_file *f, struct tm_error *err, const char *fmt, ...)
{
  char why[256];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(why, sizeof(why), fmt, ap);
  va_end(ap);
  return tm_fail(err, -EBADMSG, "%s%s%s: %s", f->folder, f->folder[0] != '\0' ? "/" : "", f->name,
                 why);
}

int rrd_read_at(const struct rrd_file *f, void *to, size_t n, uint64_t offset, struct tm_error *err)
{
  size_t done = 0;
  while (done < n) {
    ssize_t got = pread(f->fd, (char *)to + done, n - done, (off_t)(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      int code = -errno;
      rrd_refuse(f, err, "%s", strerror(-code));
      return code;
    }
    if (got == 0)
      return rrd_refuse(f, err, "became shorter while it was read");
    done += (size_t)got;
  }
  return 0;
}

/* --- the parts of the header ---------------------------------------------------------------- */

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
                                                 f->shape.n_ds * sizeof(struct disk_ds)) +
         i;
}

static const struct disk_pdp *pdp_of(const struct rrd_file *f, size_t i)
{
  return (const struct disk_pdp *)(const void *)(f->header + f->shape.live_offset +
                                                 f->shape.live_size) +
         i;
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
    return rrd_refuse(f, err, "is empty");
  if (n < 4 || memcmp(f->header, "RRD", 4) != 0)
    return rrd_refuse(f, err, "is not an RRD file");
  if (n < sizeof(struct disk_head))
    return rrd_refuse(f, err, "truncated: %llu bytes", (unsigned long long)f->size);
  const struct disk_head *h = head_of(f);
  if (memcmp(h->version, "000", 3) != 0 || h->version[3] < '1' || h->version[3] > '5' ||
      h->version[4] != '\0')
    return rrd_refuse(f, err, "unknown RRD version '%.4s'", h->version);
  if (h->float_cookie != FLOAT_COOKIE)
    return rrd_refuse(f, err, "%s", foreign_layout(f->header, n));
  if (h->ds_cnt >> 32 != 0 && (h->ds_cnt & UINT32_MAX) - 1 < RRD_MAX_DS &&
      (h->ds_cnt >> 32) - 1 < RRD_MAX_RRA)
    return rrd_refuse(
        f, err,
        "written in another layout (a 32-bit machine's); convert it with 'rrdtool dump' "
        "there and 'rrdtool restore' here");
  if (h->ds_cnt < 1 || h->ds_cnt > RRD_MAX_DS)
    return rrd_refuse(f, err, "damaged header: %llu data sources", (unsigned long long)h->ds_cnt);
  if (h->rra_cnt < 1 || h->rra_cnt > RRD_MAX_RRA)
    return rrd_refuse(f, err, "damaged header: %llu archives", (unsigned long long)h->rra_cnt);
  if (h->pdp_step < 1 || h->pdp_step > YEAR_S)
    return rrd_refuse(f, err, "damaged header: a step of %llu s", (unsigned long long)h->pdp_step);
  return 0;
}

/* Sizes of the header's parts. The counts are bounded already: nothing can overflow. */
static int measure_header(struct rrd_file *f, struct tm_error *err)
{
  const struct disk_head *h = head_of(f);
  struct rrd_shape *s = &f->shape;
  s->n_ds = h->ds_cnt;
  s->n_archives = h->rra_cnt;
  s->live_size = h->version[3] < '3' ? 8 : 16;
  s->live_offset = sizeof(struct disk_head) + s->n_ds * sizeof(struct disk_ds) +
                   s->n_archives * sizeof(struct disk_rra);
  s->pointer_offset = s->live_offset + s->live_size + s->n_ds * sizeof(struct disk_pdp) +
                      s->n_archives * s->n_ds * CDP_SIZE;
  s->header_size = s->pointer_offset + s->n_archives * sizeof(uint64_t);
  if (s->header_size > f->size)
    return rrd_refuse(f, err, "truncated: %llu bytes, and its header alone has %zu",
                      (unsigned long long)f->size, s->header_size);
  if (s->header_size > RRD_MAX_HEADER)
    return rrd_refuse(f, err, "its header has %zu bytes, more than is accepted", s->header_size);
  return 0;
}

/* Makes room for a large header, keeping the bytes that are read already. */
static int use_large_header(struct rrd_file *f, size_t have, struct tm_error *err)
{
  if (f->large_size < f->shape.header_size) {
    char *p = realloc(f->large, f->shape.header_size);
    if (p == NULL) {
      rrd_refuse(f, err, "out of memory");
      return -ENOMEM;
    }
    f->large = p;
    f->large_size = f->shape.header_size;
  }
  memcpy(f->large, f->small, have);
  f->header = f->large;
  return 0;
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
  for (size_t i = 0; i < f->shape.n_ds; i++) {
    const struct disk_ds *d = ds_of(f, i);
    if (!is_word(d->name, sizeof(d->name), false))
      return rrd_refuse(f, err, "damaged header: the name of data source %zu", i);
    if (!is_word(d->type, sizeof(d->type), true) || !is_one_of(d->type, types))
      return rrd_refuse(f, err, "damaged header: the type of data source %zu", i);
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
    return rrd_refuse(f, err, "damaged header: archive %zu has an unknown kind", i);
  if (r->row_cnt < 1 || r->row_cnt > RRD_MAX_ROWS)
    return rrd_refuse(f, err, "damaged header: archive %zu has %llu rows", i,
                      (unsigned long long)r->row_cnt);
  if (r->pdp_cnt < 1 || __builtin_mul_overflow(r->pdp_cnt, head_of(f)->pdp_step, &a->span) ||
      a->span < 1 || a->span > MAX_SPAN_S)
    return rrd_refuse(f, err, "damaged header: archive %zu has %llu steps a row", i,
                      (unsigned long long)r->pdp_cnt);
  if (__builtin_mul_overflow(r->row_cnt, (uint64_t)f->shape.n_ds * sizeof(double), &bytes) ||
      __builtin_add_overflow(*offset, bytes, offset))
    return rrd_refuse(f, err, "damaged header: archive %zu is too large", i);
  if (*offset > f->size)
    return rrd_refuse(f, err, "truncated: %llu bytes, and archive %zu of %zu would end at %llu",
                      (unsigned long long)f->size, i, f->shape.n_archives,
                      (unsigned long long)*offset);
  a->rows = r->row_cnt;
  a->offset = *offset - bytes;
  a->xff = r->par[0].value;
  return 0;
}

static int check_archives(struct rrd_file *f, struct tm_error *err)
{
  uint64_t offset = f->shape.header_size;
  for (size_t i = 0; i < f->shape.n_archives; i++) {
    int rc = check_archive(f, i, &offset, err);
    if (rc < 0)
      return rc;
  }
  if (offset != f->size)
    return rrd_refuse(f, err, "%llu bytes longer than its header says",
                      (unsigned long long)(f->size - offset));
  return 0;
}

/* What a writer changes: the time of the last update and where the rows begin. */
static int check_live(struct rrd_file *f, int64_t latest, struct tm_error *err)
{
  memcpy(&f->last_update, f->header + f->shape.live_offset, sizeof(f->last_update));
  if (f->last_update < 0 || f->last_update > LAST_SECOND)
    return rrd_refuse(f, err, "damaged header: the time of its last update");
  if (latest != 0 && f->last_update > latest)
    return rrd_refuse(f, err, "its last update lies in the future (%lld)",
                      (long long)f->last_update);
  f->step = (int64_t)head_of(f)->pdp_step;
  const char *pointers = f->header + f->shape.pointer_offset;
  for (size_t i = 0; i < f->shape.n_archives; i++) {
    struct rrd_archive *a = &f->archive[i];
    memcpy(&a->current, pointers + i * sizeof(uint64_t), sizeof(a->current));
    if (a->current >= a->rows)
      return rrd_refuse(f, err, "damaged header: the row pointer of archive %zu", i);
    a->newest = f->last_update - f->last_update % a->span;
  }
  return 0;
}

/* --- headers that were met before ----------------------------------------------------------- */

/* The first one of a file of this size. */
static const struct rrd_layout *layout_of_size(const struct rrd_file *f)
{
  for (const struct rrd_layout *l = f->layout; l < f->layout + RRD_LAYOUTS; l++)
    if (l->shape.live_offset > 0 && l->file_size == f->size)
      return l;
  return NULL;
}

/* True when the header, of which n bytes are read, is but for what updates change one that was
 * checked before: then what followed from it holds again. */
static bool recall_layout(struct rrd_file *f, size_t n)
{
  for (const struct rrd_layout *l = f->layout; l < f->layout + RRD_LAYOUTS; l++) {
    if (l->shape.live_offset == 0 || l->file_size != f->size || l->shape.header_size > n ||
        memcmp(f->header, l->header, l->shape.live_offset) != 0)
      continue;
    f->shape = l->shape;
    memcpy(f->archive, l->archive, l->shape.n_archives * sizeof(l->archive[0]));
    return true;
  }
  return false;
}

static void remember_layout(struct rrd_file *f)
{
  if (f->shape.header_size > RRD_FIRST_READ || f->shape.n_archives > RRD_LAYOUT_RRA)
    return;
  struct rrd_layout *l = &f->layout[f->next_layout];
  f->next_layout = (f->next_layout + 1) % RRD_LAYOUTS;
  l->file_size = f->size;
  l->shape = f->shape;
  memcpy(l->archive, f->archive, f->shape.n_archives * sizeof(l->archive[0]));
  memcpy(l->header, f->header, l->shape.live_offset);
}

/* A header that was not met before: everything that updates leave alone. n bytes are read. */
static int check_fixed(struct rrd_file *f, size_t n, struct tm_error *err)
{
  int rc = check_identity(f, n, err);
  if (rc == 0)
    rc = measure_header(f, err);
  if (rc == 0 && f->shape.header_size > RRD_SMALL_HEADER)
    rc = use_large_header(f, n, err);
  if (rc == 0 && f->shape.header_size > n)
    rc = rrd_read_at(f, f->header + n, f->shape.header_size - n, n, err);
  if (rc == 0)
    rc = check_sources(f, err);
  if (rc == 0)
    rc = check_archives(f, err);
  if (rc == 0)
    remember_layout(f);
  return rc;
}

int rrd_header_read(struct rrd_file *f, int64_t latest, struct tm_error *err)
{
  const struct rrd_layout *likely = layout_of_size(f);
  size_t n = likely != NULL ? likely->shape.header_size : RRD_FIRST_READ;
  n = f->size < n ? (size_t)f->size : n;
  f->header = f->small;
  int rc = rrd_read_at(f, f->header, n, 0, err);
  if (rc == 0 && !recall_layout(f, n))
    rc = check_fixed(f, n, err);
  return rc == 0 ? check_live(f, latest, err) : rc;
}

/* --- data sources ---------------------------------------------------------------------------- */

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
  for (size_t i = 0; i < f->shape.n_ds; i++)
    if (strcmp(ds_of(f, i)->name, name) == 0)
      return (int)i;
  return -1;
}
