/* SPDX-License-Identifier: MIT */
/*
 * gen - write the RRD trees that collectd 5.12's rrdtool plugin would have
 * written, with a year (or two) of history in them.
 *
 *   gen [-n ARRAYS] [-a ARRAYS_PER_HOST] [-v default|long] [-e END] [-S] DIR
 *
 *   DIR/<host>/disk_array-<name>/capacity-total.rrd      GAUGE  bytes
 *                                capacity-used.rrd       GAUGE  bytes
 *                                transfers-completed.rrd DERIVE operations/s
 *
 * -v default  collectd's defaults: step 10, heartbeat 20, RRARows 1200,
 *             RRATimespan 3600 86400 604800 2678400 31622400, XFF 0.1
 *             (148,648 bytes a file)
 * -v long     StepSize 300, HeartBeat 600, RRARows 730,
 *             RRATimespan 219000 2628000 63072000: two years of daily rows
 * -e END      time of the last update (epoch); default: today 00:00 UTC
 * -S          sparse: only the header, the AVERAGE rows of the longest
 *             archive (capacity) and the MAX rows of the archives of 30 days
 *             and more (transfers) are written; every other row is a hole and
 *             reads 0.0.  For size tests only: 26 KB a file in place of 148.
 *
 * The header of each file is librrd's own (rrd_create_r); rows, row pointers,
 * last_up and the scratch values are then written directly.  The values are a
 * function of the array's number: same N, same END, same bytes.
 */
#define RRD_EXPORT_DEPRECATED
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <rrd.h>
#include <rrd_format.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAXRRA 32
static const char *cfs[3] = {"AVERAGE", "MIN", "MAX"};

struct layout {
  int step, heartbeat, rows, nspans, spans[8];
  int nrra;
  int cf[MAXRRA];
  long cdp_len[MAXRRA], cdp_num[MAXRRA];
  size_t off[MAXRRA]; /* of the first row, from the start of the file */
  size_t header_len, file_len;
};

static struct layout L_default = {.step = 10, .heartbeat = 20, .rows = 1200, .nspans = 5,
                                  .spans = {3600, 86400, 604800, 2678400, 31622400}};
static struct layout L_long = {.step = 300, .heartbeat = 600, .rows = 730, .nspans = 3,
                               .spans = {219000, 2628000, 63072000}};

/* collectd's rra_get() */
static void rras(struct layout *l) {
  long len = 0;
  for (int i = 0; i < l->nspans; i++) {
    long span = l->spans[i];
    if (span / l->step < l->rows)
      span = (long)l->step * l->rows;
    len = len == 0 ? 1 : (long)floor((double)span / ((double)l->rows * l->step));
    long num = (long)ceil((double)span / ((double)len * l->step));
    for (int c = 0; c < 3; c++) {
      l->cf[l->nrra] = c;
      l->cdp_len[l->nrra] = len;
      l->cdp_num[l->nrra++] = num;
    }
  }
}

static char *template_header(struct layout *l, const char *dst, const char *dir) {
  char path[4096], ds[64], defs[MAXRRA][64];
  const char *argv[MAXRRA + 2];
  int argc = 0;
  snprintf(path, sizeof(path), "%s/.template.rrd", dir);
  snprintf(ds, sizeof(ds), "DS:value:%s:%d:%f:U", dst, l->heartbeat, 0.0);
  argv[argc++] = ds;
  for (int i = 0; i < l->nrra; i++) {
    snprintf(defs[i], sizeof(defs[i]), "RRA:%s:%.10f:%ld:%ld", cfs[l->cf[i]],
             0.1, l->cdp_len[i], l->cdp_num[i]);
    argv[argc++] = defs[i];
  }
  unlink(path);
  if (rrd_create_r(path, l->step, 1000000000, argc, argv) != 0) {
    fprintf(stderr, "gen: rrd_create_r: %s\n", rrd_get_error());
    exit(1);
  }
  l->header_len = sizeof(stat_head_t) + sizeof(ds_def_t) +
                  l->nrra * sizeof(rra_def_t) + sizeof(live_head_t) +
                  sizeof(pdp_prep_t) + l->nrra * sizeof(cdp_prep_t) +
                  l->nrra * sizeof(rra_ptr_t);
  size_t off = l->header_len;
  for (int i = 0; i < l->nrra; i++) {
    l->off[i] = off;
    off += l->cdp_num[i] * sizeof(double);
  }
  l->file_len = off;
  struct stat st;
  int fd = open(path, O_RDONLY);
  char *h = malloc(l->header_len);
  if (fd < 0 || fstat(fd, &st) || (size_t)st.st_size != l->file_len ||
      read(fd, h, l->header_len) != (ssize_t)l->header_len) {
    fprintf(stderr, "gen: the template is not laid out as expected\n");
    exit(1);
  }
  close(fd);
  unlink(path);
  return h;
}

static inline uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}
static inline double u01(uint64_t x) { return (double)(mix(x) >> 11) * 0x1p-53; }

struct array {
  uint64_t seed;
  long end;
  double total0, total1, u0, growth, noise, base, since;
  long grown_at, outage_at[4], outage_len[4];
};

static struct array model(long i, long end) {
  static const double sizes[] = {16e12, 24e12, 48e12, 64e12, 96e12, 192e12};
  struct array a = {.seed = mix((uint64_t)i * 7919 + 13), .end = end};
  a.total0 = sizes[(int)(u01(a.seed + 1) * 6)];
  a.total1 = u01(a.seed + 2) < 0.05 ? a.total0 * 1.25 : a.total0;
  a.grown_at = end - 86400L * (long)(30 + 300 * u01(a.seed + 3));
  a.u0 = 0.15 + 0.45 * u01(a.seed + 4);
  a.growth = (-0.04 + 0.44 * u01(a.seed + 5)) / 365.0; /* share of total a day */
  a.noise = 0.0005 + 0.004 * u01(a.seed + 6);
  a.base = 200 + 20000 * u01(a.seed + 7);
  a.since = u01(a.seed + 8) < 0.1 ? end - 86400.0 * 200 : 0;
  for (int k = 0; k < 4; k++) {
    a.outage_at[k] = end - (long)(86400.0 * 360 * u01(a.seed + 20 + k));
    a.outage_len[k] = (long)(3600 * 6 + 3600 * 48 * u01(a.seed + 30 + k));
  }
  return a;
}

enum { TOTAL, USED, LOAD };

/* the consolidated value of the row that ends at t and lasts span seconds */
static double value(const struct array *a, int what, int cf, long t, long span) {
  if (t <= a->since)
    return NAN;
  for (int k = 0; k < 4; k++)
    if (t - span >= a->outage_at[k] && t <= a->outage_at[k] + a->outage_len[k])
      return NAN;
  if (what == TOTAL)
    return t > a->grown_at ? a->total1 : a->total0;
  double jitter = u01(a->seed ^ ((uint64_t)t * 0x9e3779b97f4a7c15ull));
  double days = (double)(t - a->end) / 86400.0 + 365.0;
  if (what == USED) {
    double v = a->total0 * (a->u0 + a->growth * days + a->noise * (jitter - 0.5));
    double half = a->total0 * a->noise * 0.1;
    if (cf == 1)
      v -= half;
    else if (cf == 2)
      v += half;
    return v < 0 ? 0 : v;
  }
  long day = (t - 1) / 86400, sec = (t - 1) % 86400;
  double x = (double)sec / 43200.0 - 1.0;         /* -1..1 over the day */
  double diurnal = 1.0 + 0.6 * (1.0 - x * x);     /* noon is the hump */
  double v = a->base * diurnal * (0.9 + 0.2 * jitter);
  if (cf == 0)
    return v;
  if (cf == 1)
    return v * 0.6;
  /* one burst a day, at its own second */
  uint64_t hd = mix(a->seed + (uint64_t)day);
  long burst = (long)(hd % 86400);
  long from = span >= 86400 ? 0 : sec + 1 - span;
  if (burst >= from && burst <= sec)
    return v * (2.0 + (double)(hd >> 40) * 0x1p-24 * 4.0);
  return v * 1.3;
}

static void build(const struct layout *l, const char *hdr, char *img, int what,
                  const struct array *a) {
  memcpy(img, hdr, l->header_len);
  size_t o = sizeof(stat_head_t) + sizeof(ds_def_t) + l->nrra * sizeof(rra_def_t);
  live_head_t *live = (live_head_t *)(img + o);
  live->last_up = a->end;
  live->last_up_usec = 0;
  pdp_prep_t *pdp = (pdp_prep_t *)(img + o + sizeof(*live));
  double now = value(a, what, 0, a->end, l->step);
  if (isnan(now))
    snprintf(pdp->last_ds, sizeof(pdp->last_ds), "U");
  else
    snprintf(pdp->last_ds, sizeof(pdp->last_ds), "%.0f",
             what == LOAD ? now * 1e6 : now);
  pdp->scratch[PDP_unkn_sec_cnt].u_cnt = 0;
  pdp->scratch[PDP_val].u_val = 0.0;
  cdp_prep_t *cdp = (cdp_prep_t *)(img + o + sizeof(*live) + sizeof(*pdp));
  rra_ptr_t *ptr = (rra_ptr_t *)(cdp + l->nrra);
  for (int r = 0; r < l->nrra; r++) {
    long span = l->cdp_len[r] * l->step, rows = l->cdp_num[r];
    long newest = a->end - a->end % span;
    double part = (double)((a->end % span) / l->step);
    cdp[r].scratch[CDP_unkn_pdp_cnt].u_cnt = 0;
    cdp[r].scratch[CDP_val].u_val =
        isnan(now) ? NAN : l->cf[r] == 0 ? now * part : now;
    long cur = (long)(mix(a->seed + 1000 + r * 3 + what) % (uint64_t)rows);
    ptr[r].cur_row = (unsigned long)cur;
    double *d = (double *)(img + l->off[r]);
    long t = newest - (rows - 1) * span, p = cur + 1;
    for (long i = 0; i < rows; i++, t += span, p++) {
      if (p >= rows)
        p -= rows;
      d[p] = value(a, what, l->cf[r], t, span);
    }
  }
}

static void put(int fd, const char *b, size_t n, off_t off) {
  if (pwrite(fd, b, n, off) != (ssize_t)n) {
    fprintf(stderr, "gen: write: %s\n", strerror(errno));
    exit(1);
  }
}

static void store(const struct layout *l, const char *path, const char *img,
                  int what, int sparse) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0) {
    fprintf(stderr, "gen: %s: %s\n", path, strerror(errno));
    exit(1);
  }
  if (!sparse) {
    put(fd, img, l->file_len, 0);
  } else {
    if (ftruncate(fd, (off_t)l->file_len) != 0)
      exit(1);
    put(fd, img, l->header_len, 0);
    for (int r = 0; r < l->nrra; r++) {
      long whole = l->cdp_len[r] * l->step * l->cdp_num[r];
      if ((what != LOAD && l->cf[r] == 0 && r >= l->nrra - 3) ||
          (what == LOAD && l->cf[r] == 2 && whole >= 30 * 86400L && r < l->nrra - 3))
        put(fd, img + l->off[r], (size_t)l->cdp_num[r] * 8, (off_t)l->off[r]);
    }
  }
  close(fd);
}

static void need_dir(const char *p) {
  if (mkdir(p, 0755) != 0 && errno != EEXIST) {
    fprintf(stderr, "gen: %s: %s\n", p, strerror(errno));
    exit(1);
  }
}

int main(int argc, char **argv) {
  long n = 1000, per = 10, end = time(NULL) / 86400 * 86400;
  int c, sparse = 0;
  struct layout *l = &L_default;
  while ((c = getopt(argc, argv, "n:a:v:e:S")) != -1) {
    if (c == 'n')
      n = atol(optarg);
    else if (c == 'a')
      per = atol(optarg);
    else if (c == 'v')
      l = strcmp(optarg, "long") == 0 ? &L_long : &L_default;
    else if (c == 'e')
      end = atol(optarg);
    else if (c == 'S')
      sparse = 1;
    else
      return 2;
  }
  if (optind + 1 != argc || n < 1 || per < 1) {
    fprintf(stderr, "usage: gen [-n ARRAYS] [-a PER_HOST] [-v default|long] "
                    "[-e END] [-S] DIR\n");
    return 2;
  }
  const char *dir = argv[optind];
  need_dir(dir);
  rras(l);
  char *gauge = template_header(l, "GAUGE", dir);
  char *derive = template_header(l, "DERIVE", dir);
  char *img = malloc(l->file_len), path[4096];
  for (long i = 0; i < n; i++) {
    struct array a = model(i, end);
    int k = snprintf(path, sizeof(path), "%s/site%05ld", dir, i / per);
    if (i % per == 0)
      need_dir(path);
    k += snprintf(path + k, sizeof(path) - k, "/disk_array-array%02ld", i % per);
    need_dir(path);
    static const char *name[3] = {"/capacity-total.rrd", "/capacity-used.rrd",
                                  "/transfers-completed.rrd"};
    for (int w = 0; w < 3; w++) {
      strcpy(path + k, name[w]);
      build(l, w == LOAD ? derive : gauge, img, w, &a);
      store(l, path, img, w, sparse);
    }
  }
  printf("%ld arrays, %zu bytes a file, %zu bytes an array, end %ld%s\n", n,
         l->file_len, 3 * l->file_len, end, sparse ? ", sparse" : "");
  return 0;
}
