/* SPDX-License-Identifier: MIT */
/*
 * Series from CSV, one at a time: header `series,time,used,capacity` (any order, more columns are
 * passed over, capacity may be absent), the rows of a series together, time (epoch seconds)
 * ascending, used and capacity may be empty. Where the time falls back by thirty rows or more, a
 * second history of the same name begins.
 */
#ifndef TM_FORECAST_CSV_H
#define TM_FORECAST_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct tm_error;

#define FORECAST_CSV_FIELD_MAX 4096 /* bytes of one field */

/* One series as it was read. Owned by the reader, but for what a taker has swapped. */
struct forecast_csv_series {
  char *name;
  size_t name_cap;
  int64_t *time;
  double *used, *capacity;
  size_t n, cap;
};
void forecast_csv_series_release(struct forecast_csv_series *s);

/* Who takes what is read. Both return 0, or a negative errno (with err filled) that ends reading.
 */
struct forecast_csv_taker {
  /* A whole series; its arrays may be kept by swapping *s with another struct of this kind,
   * released or in use earlier: the reader goes on with that one's memory. */
  int (*series)(void *context, struct forecast_csv_series *s, struct tm_error *err);
  /* A series that cannot be read: "FILE:LINE: what", told once; its other rows are passed over. */
  int (*refused)(void *context, const char *what, struct tm_error *err);
  void *context;
};

/* Reads all of in. 0, or a negative errno: -EBADMSG when the file as a whole cannot be read (no
 * header, a quote that never ends, a field too long), -EIO, -ENOMEM, or what a taker returned. */
int forecast_csv_read(FILE *in, const char *file, const struct forecast_csv_taker *taker,
                      struct tm_error *err);

#endif
