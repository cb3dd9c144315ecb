/* SPDX-License-Identifier: MIT */
/*
 * limit - the floor under any program that reads these trees.
 *
 *   limit [-m MODE] [-t THREADS] [-l LOAD_DAYS] [-c CAP_DAYS] [-e END]
 *         [-r REPEATS] [-C] [-R] [-o CSV] [-s STATUS_CSV] DIR
 *
 *   -m walk    find the arrays (readdir of DIR and of each host)
 *      stat    walk, and one fstatat of each of the three files
 *      open    walk, open and close the three files
 *      pread   open, read the header, read the rows of the one archive that is
 *              needed, touch every double                          (the limit)
 *      mmap    the same through mmap
 *      librrd  the same rows through rrd_fetch_r (built with -DWITH_LIBRRD -lrrd
 *              only: loading librrd and what it pulls in costs milliseconds)
 *      calc    pread, and the whole answer: daily maxima, least squares, CSV
 *   -C         before each round drop the files' pages from the page cache
 *              (posix_fadvise; the inodes and directories stay cached)
 *
 *   -R         posix_fadvise(POSIX_FADV_RANDOM): no read-ahead beyond what is read
 *
 * One line a round: microseconds an array for the walk, for the rest, and in
 * all; wall time, all threads together.
 */
#define _GNU_SOURCE
#define RRD_EXPORT_DEPRECATED
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <rrd.h>
#include <rrd_format.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *files[3] = {"/capacity-total.rrd", "/capacity-used.rrd",
                               "/transfers-completed.rrd"};
static const char *cf_of[3] = {"AVERAGE", "AVERAGE", "MAX"};
static long days_of[3] = {365, 365, 30};
static long the_end;
static int root;
static const char *rootname;

struct arr {
  char *path; /* relative to DIR */
  double slope, fill, total, used, max[400];
};
static struct arr *arrs;
static size_t narrs, cap;
static char mode[16] = "pread";
static int no_readahead;
static atomic_size_t next_arr;
static _Atomic long doubles;

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void walk(void) {
  int fd = openat(root, ".", O_RDONLY | O_DIRECTORY);
  DIR *d = fdopendir(fd), *h;
  struct dirent *e, *f;
  char p[4096];
  while ((e = readdir(d))) {
    if (e->d_name[0] == '.' || e->d_type != DT_DIR)
      continue;
    int hfd = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY);
    if (!(h = fdopendir(hfd)))
      continue;
    while ((f = readdir(h))) {
      if (strncmp(f->d_name, "disk_array-", 11) != 0)
        continue;
      if (narrs == cap)
        arrs = realloc(arrs, (cap = cap ? cap * 2 : 1024) * sizeof(*arrs));
      snprintf(p, sizeof(p), "%s/%s", e->d_name, f->d_name);
      arrs[narrs++].path = strdup(p);
    }
    closedir(h);
  }
  closedir(d);
}

/* where the wanted rows lie: the finest archive of the CF that covers the
 * window, as rrd_fetch picks it; else the longest one */
struct rows {
  size_t off;
  long n, cur, span, newest;
};
static int find_rows(const char *h, size_t got, int w, struct rows *r) {
  const stat_head_t *s = (const stat_head_t *)h;
  if (got < sizeof(*s) || memcmp(s->cookie, "RRD", 4) != 0 || s->ds_cnt != 1)
    return -1;
  const ds_def_t *ds = (const ds_def_t *)(s + 1);
  const rra_def_t *a = (const rra_def_t *)(ds + s->ds_cnt);
  const live_head_t *live = (const live_head_t *)(a + s->rra_cnt);
  const pdp_prep_t *pdp = (const pdp_prep_t *)(live + 1);
  const cdp_prep_t *cdp = (const cdp_prep_t *)(pdp + s->ds_cnt);
  const rra_ptr_t *ptr = (const rra_ptr_t *)(cdp + s->rra_cnt * s->ds_cnt);
  size_t off = (size_t)((const char *)(ptr + s->rra_cnt) - h);
  if (off > got)
    return -1;
  long start = the_end - days_of[w] * 86400, best = -1, best_len = 0;
  for (unsigned long i = 0; i < s->rra_cnt; i++) {
    long span = (long)(a[i].pdp_cnt * s->pdp_step);
    long newest = live->last_up - live->last_up % span;
    long first = newest - ((long)a[i].row_cnt - 1) * span;
    if (strcmp(a[i].cf_nam, cf_of[w]) == 0) {
      int full = first <= start + span, was_full = best_len < 0;
      if (best < 0 || (full && !was_full) ||
          (!full && !was_full && newest - first > best_len)) {
        best = (long)i;
        best_len = full ? -1 : newest - first;
        *r = (struct rows){off, (long)a[i].row_cnt, (long)ptr[i].cur_row, span, newest};
      }
    }
    off += a[i].row_cnt * sizeof(double);
  }
  return best < 0 ? -1 : 0;
}

static double touch(const double *d, long n) {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  long i = 0;
  for (; i + 4 <= n; i += 4)
    s0 += d[i], s1 += d[i + 1], s2 += d[i + 2], s3 += d[i + 3];
  for (; i < n; i++)
    s0 += d[i];
  return s0 + s1 + s2 + s3;
}

static void answer(struct arr *a, int w, const double *d, const struct rows *r,
                   double *total) {
  long start = the_end - days_of[w] * 86400;
  long t = r->newest - (r->n - 1) * r->span, p = r->cur + 1;
  if (w == 2)
    for (int i = 0; i < days_of[2]; i++)
      a->max[i] = NAN;
  double n = 0, sx = 0, sxx = 0, sy = 0, sxy = 0;
  for (long i = 0; i < r->n; i++, t += r->span, p++) {
    if (p >= r->n)
      p -= r->n;
    double v = d[p];
    if (t <= start || t > the_end || isnan(v))
      continue;
    if (w == 2) {
      long day = (t - start - 1) / 86400;
      if (!(a->max[day] >= v))
        a->max[day] = v;
    } else if (w == 1) {
      a->used = v;
      double x = (double)(t - the_end) / 86400.0;
      n++, sx += x, sxx += x * x, sy += v, sxy += x * v;
    } else {
      *total = a->total = v;
    }
  }
  if (w == 1) {
    a->slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    double b = (sy - a->slope * sx) / n;
    a->fill = (double)the_end + (*total - b) / a->slope * 86400.0;
  }
}

static void one(struct arr *a, char *buf, double *sum, long *cnt) {
  char p[4096];
  size_t k = strlen(a->path);
  memcpy(p, a->path, k);
  double total = NAN;
  for (int w = 0; w < 3; w++) {
    strcpy(p + k, files[w]);
    if (mode[0] == 's') {
      struct stat st;
      fstatat(root, p, &st, 0);
      continue;
    }
#ifdef WITH_LIBRRD
    if (mode[0] == 'l') {
      char full[8300], **names;
      unsigned long step = 1, ds;
      time_t start = the_end - days_of[w] * 86400, end = the_end;
      rrd_value_t *v;
      snprintf(full, sizeof(full), "%s/%s", rootname, p);
      if (rrd_fetch_r(full, cf_of[w], &start, &end, &step, &ds, &names, &v) != 0) {
        fprintf(stderr, "limit: %s\n", rrd_get_error());
        exit(1);
      }
      long n = (long)((unsigned long)(end - start) / step * ds);
      *sum += touch(v, n);
      *cnt += n;
      for (unsigned long i = 0; i < ds; i++)
        rrd_freemem(names[i]);
      rrd_freemem(names);
      rrd_freemem(v);
      continue;
    }
#endif
    int fd = openat(root, p, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      fprintf(stderr, "limit: %s: %s\n", p, strerror(errno));
      exit(1);
    }
    if (no_readahead)
      posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    if (mode[0] != 'o') {
      struct rows r = {0};
      const double *d;
      char *m = NULL;
      size_t len = 0;
      ssize_t got;
      if (mode[0] == 'm') {
        struct stat st;
        fstat(fd, &st);
        len = (size_t)st.st_size;
        m = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
        got = (ssize_t)len;
      } else {
        got = pread(fd, buf, 4096, 0);
      }
      if (find_rows(m ? m : buf, (size_t)got, w, &r) != 0) {
        fprintf(stderr, "limit: %s: not as expected\n", p);
        exit(1);
      }
      if (m) {
        d = (const double *)(const void *)(m + r.off);
      } else {
        d = (const double *)(const void *)(buf + 4096);
        if (pread(fd, buf + 4096, (size_t)r.n * 8, (off_t)r.off) != r.n * 8)
          exit(1);
      }
      if (mode[0] == 'c')
        answer(a, w, d, &r, &total);
      else
        *sum += touch(d, r.n);
      *cnt += r.n;
      if (m)
        munmap(m, len);
    }
    close(fd);
  }
}

static void *worker(void *x) {
  char *buf = aligned_alloc(4096, 1 << 20);
  double sum = 0;
  long cnt = 0;
  (void)x;
  for (;;) {
    size_t i = atomic_fetch_add(&next_arr, 16);
    if (i >= narrs)
      break;
    for (size_t e = i + 16 < narrs ? i + 16 : narrs; i < e; i++)
      one(&arrs[i], buf, &sum, &cnt);
  }
  atomic_fetch_add(&doubles, cnt);
  free(buf);
  volatile double keep = sum;
  (void)keep;
  return NULL;
}

static void drop(void) {
  char p[4096];
  for (size_t i = 0; i < narrs; i++)
    for (int w = 0; w < 3; w++) {
      snprintf(p, sizeof(p), "%s%s", arrs[i].path, files[w]);
      int fd = openat(root, p, O_RDONLY);
      posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
      close(fd);
    }
}

int main(int argc, char **argv) {
  int c, threads = 1, repeats = 1, cold = 0;
  const char *csv = NULL, *status = NULL;
  while ((c = getopt(argc, argv, "m:t:l:c:e:r:o:s:CR")) != -1) {
    if (c == 'm')
      snprintf(mode, sizeof(mode), "%s", optarg);
    else if (c == 't')
      threads = atoi(optarg);
    else if (c == 'l')
      days_of[2] = atol(optarg);
    else if (c == 'c')
      days_of[0] = days_of[1] = atol(optarg);
    else if (c == 'e')
      the_end = atol(optarg);
    else if (c == 'r')
      repeats = atoi(optarg);
    else if (c == 'o')
      csv = optarg;
    else if (c == 's')
      status = optarg;
    else if (c == 'C')
      cold = 1;
    else if (c == 'R')
      no_readahead = 1;
    else
      return 2;
  }
  if (optind + 1 != argc || the_end == 0 || days_of[2] > 400) {
    fprintf(stderr, "usage: limit -e END [-m walk|stat|open|pread|mmap|librrd|calc] "
                    "[-t THREADS] [-r REPEATS] [-C] [-R] [-o CSV] DIR\n");
    return 2;
  }
  rootname = argv[optind];
  if ((root = open(rootname, O_RDONLY | O_DIRECTORY)) < 0) {
    perror(rootname);
    return 1;
  }
  for (int rep = 0; rep < repeats; rep++) {
    if (cold && narrs)
      drop();
    else if (cold) {
      walk();
      drop();
    }
    for (size_t i = 0; i < narrs; i++)
      free(arrs[i].path);
    narrs = 0;
    next_arr = 0;
    doubles = 0;
    double t0 = now_us();
    walk();
    double t1 = now_us();
    if (mode[0] != 'w') {
      pthread_t th[64];
      for (int i = 1; i < threads; i++)
        pthread_create(&th[i], NULL, worker, NULL);
      worker(NULL);
      for (int i = 1; i < threads; i++)
        pthread_join(th[i], NULL);
    }
    if (csv && mode[0] == 'c') {
      FILE *o = fopen(csv, "w");
      for (size_t i = 0; i < narrs; i++) {
        struct arr *a = &arrs[i];
        fprintf(o, "%s,%.10g,%.10g", a->path, a->slope, a->fill);
        for (int k = 0; k < days_of[2]; k++)
          fprintf(o, ",%.10g", a->max[k]);
        fputc('\n', o);
      }
      fclose(o);
    }
    if (status && mode[0] == 'c') {
      FILE *o = fopen(status, "w");
      for (size_t i = 0; i < narrs; i++)
        fprintf(o, "%s,%.17g,%.17g\n", arrs[i].path, arrs[i].total, arrs[i].used);
      fclose(o);
    }
    double t2 = now_us(), n = (double)narrs;
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    printf("%s threads=%d%s arrays=%zu doubles=%ld walk_us=%.3f rest_us=%.3f "
           "total_us=%.3f rss_kb=%ld\n",
           mode, threads, cold ? " cold" : "", narrs, doubles, (t1 - t0) / n,
           (t2 - t1) / n, (t2 - t0) / n, ru.ru_maxrss);
  }
  return 0;
}
