/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_FILE_H
#define TM_RRD_FILE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One RRD file, read without librrd: versions 0001 to 0005, 64-bit little-endian layout. Every
 * field of the header is checked against the file's size before it is used. No lock is taken and
 * nothing is mapped, so that a writer is never disturbed; a file that was written meanwhile is read
 * again. struct rrd_file is one reader's memory: it is used for file after file, and grows with
 * none of them.
 */
enum rrd_cf { RRD_CF_AVERAGE, RRD_CF_MIN, RRD_CF_MAX, RRD_CF_LAST, RRD_CF_OTHER };

#define RRD_MAX_DS          1024
#define RRD_MAX_RRA         512
#define RRD_MAX_ROWS        10000000
#define RRD_MAX_HEADER      (4 << 20) /* bytes */
#define RRD_NAME_SIZE       20
#define RRD_SMALL_HEADER    8192
#define RRD_FIRST_READ      4096
#define RRD_LAYOUTS         4     /* headers that are remembered, */
#define RRD_LAYOUT_RRA      32    /* of at most so many archives */
#define RRD_ROW_BUFFER_SIZE 65536 /* bytes */

struct rrd_archive {
  enum rrd_cf cf;
  uint64_t rows;
  uint64_t current; /* the row that was written last */
  int64_t span;     /* seconds a row */
  int64_t newest;   /* end of the last row */
  uint64_t offset;  /* of the first row, from the start of the file */
  double xff;       /* share of a row that may be unknown */
};

struct rrd_data_source {
  char name[RRD_NAME_SIZE];
  char type[RRD_NAME_SIZE]; /* "GAUGE", "DERIVE", ... */
  uint64_t heartbeat;       /* seconds; 0 for COMPUTE */
  double newest;            /* GAUGE: the value sent last; NAN: unknown, out of bounds, no gauge */
};

/* How many parts the header has, and where they lie. What a writer changes goes from the live head
 * to the row pointers; what comes before is fixed. */
struct rrd_shape {
  size_t n_ds;
  size_t n_archives;
  size_t live_offset; /* private from here */
  size_t live_size;   /* of the live head: 8 or 16 */
  size_t pointer_offset;
  size_t header_size;
};

/* Private: a header whose fixed part was checked, and what follows from it. Most files of a site
 * have one of a few. */
struct rrd_layout {
  uint64_t file_size;
  struct rrd_shape shape; /* its live_offset 0: none yet */
  struct rrd_archive archive[RRD_LAYOUT_RRA];
  char header[RRD_FIRST_READ];
};

struct rrd_file {
  int fd;
  bool sparing;       /* set it to have the disk asked for no more than what is read */
  const char *folder; /* borrowed while the file is visited, for messages */
  const char *name;
  uint64_t size;
  int64_t step;
  int64_t last_update;
  struct rrd_shape shape;
  struct rrd_archive archive[RRD_MAX_RRA];
  /* private from here */
  bool others_own; /* the files are not ours: reading them changes their time of access */
  char *header;    /* points to small or large */
  char *large;     /* for headers that do not fit into small; NULL until one came */
  size_t large_size;
  struct rrd_layout layout[RRD_LAYOUTS];
  unsigned next_layout; /* gives way to the next new one */
  char small[RRD_SMALL_HEADER] __attribute__((aligned(16)));
  double rows[RRD_ROW_BUFFER_SIZE / sizeof(double)];
};

/* It is large (100 kB): allocate it. Release closes and frees what is inside; harmless twice. */
void rrd_file_init(struct rrd_file *f);
void rrd_file_release(struct rrd_file *f);

/*
 * Opens FOLDER/NAME (beside folder_fd; folder is for messages only), checks the header and calls
 * visit, which may read rows. When the writer moved on meanwhile the file is read and visited
 * again, so that visit starts afresh each time: what it gathered counts only when this returns 0.
 * Files whose last update is later than latest (0: no limit) are refused.
 * visit NULL: the header is checked, nothing else. A negative return of visit ends it.
 */
typedef int rrd_visit_fn(struct rrd_file *f, void *ctx, struct tm_error *err);
int rrd_file_visit(struct rrd_file *f, int folder_fd, const char *folder, const char *name,
                   int64_t latest, rrd_visit_fn *visit, void *ctx, struct tm_error *err);

/* Within a visit: a data source, copied out; and its number by name, -1 when there is none. */
void rrd_file_source(const struct rrd_file *f, size_t ds, struct rrd_data_source *out);
int rrd_file_find(const struct rrd_file *f, const char *name);

/*
 * Within a visit: the finest archive of this kind whose rows reach back to `from` (a row that holds
 * `from` is enough); when none does, the one that reaches back farthest. -1: none of this kind.
 */
int rrd_file_archive(const struct rrd_file *f, enum rrd_cf cf, int64_t from);

/*
 * Within a visit: gives the rows of one archive that end within (after, until], in order of time,
 * to fn in one or more runs: n values of the data source, every stride-th double of v, the first
 * ending at `end`. v is valid during the call.
 */
typedef void rrd_rows_fn(void *ctx, int64_t end, int64_t span, const double *v, size_t n,
                         size_t stride);
int rrd_file_rows(struct rrd_file *f, size_t archive, size_t ds, int64_t after, int64_t until,
                  rrd_rows_fn *fn, void *ctx, struct tm_error *err);

#endif
