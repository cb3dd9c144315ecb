/* SPDX-License-Identifier: MIT */
#ifndef TM_SOURCE_TYPE_H
#define TM_SOURCE_TYPE_H

#include "analyzer/source/source.h"

/* What a kind of source does; the functions are those of source.h, with its own state. For source.c
 * and the sources themselves. */
struct source_type_calls {
  const char *name; /* before the colon */
  /* Of the options, days, history_days and read_days are never 0. They are gone afterwards. */
  int (*open)(void **state, const struct source_options *options, struct tm_error *err);
  void (*free)(void *state);
  size_t (*count)(const void *state);
  struct source_device (*device)(const void *state, size_t index);
  size_t (*refusals)(const void *state, const struct series_refusal **refused);
  int (*start)(void *state, unsigned jobs, struct tm_error *err);
  int (*next)(void *state, unsigned job, struct series *s, struct tm_error *err);
};

extern const struct source_type_calls source_type_csv;
extern const struct source_type_calls source_type_prometheus;

/* True when the options ask for this device: it belongs to the share, and is the one that is named,
 * if one is. folder is collectd's, or the device's name where there is none. */
bool source_wants(const struct source_options *options, const char *host, const char *folder);

/* The name of a device. What a source keeps of each begins with it. */
struct source_name {
  char *host; /* and behind it, after its NUL, the folder; owned */
  const char *folder;
};
/* Copies host (so many bytes of it) and folder. 0 or -ENOMEM. */
int source_name_make(struct source_name *name, const char *host, size_t host_len,
                     const char *folder);
/* By host, then folder, as an index counts: for qsort. */
int source_name_order(const void *a, const void *b);

/* The series of a device of which nothing is known yet. */
struct series source_unknown(size_t index, struct source_device device);

#endif
