/* SPDX-License-Identifier: MIT */
#ifndef TM_REPORT_H
#define TM_REPORT_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What `tidemark-analyze run` shows. Every format is made from the summaries alone (one JSON
 * document a device, architecture.md), so that a report can be made again from what was recorded.
 */
struct report_settings {
  FILE *out;          /* borrowed */
  bool color;         /* the output is a terminal that wants it */
  unsigned columns;   /* of the terminal; 0: as wide as the table */
  int64_t warning_s;  /* nagios: full within this long is a warning, */
  int64_t critical_s; /* and this is critical */
};

/* What a format keeps between begin and end; each format has its own. 'Now' is the newest
 * generated_at among the summaries, never the clock. */
struct report;

struct report_format {
  const char *name;
  /* Makes the state; NULL when out of memory. */
  struct report *(*begin)(const struct report_settings *settings);
  /* Adds one summary: its line (no newline, len bytes) as it was written, and the same parsed;
   * summary is NULL when wants_lines is all that the format asked for. 0 or -ENOMEM. */
  int (*add)(struct report *r, const char *line, size_t len, const json_t *summary);
  /* Writes what is left. unread: files and devices that could not be used, each told by now.
   * Returns the exit status (EX_OK but for nagios). */
  int (*end)(struct report *r, size_t unread);
  void (*free)(struct report *r); /* free(NULL) is fine */
  bool wants_lines;               /* true: never needs the parsed summary */
};

/* By name; NULL when there is none such. */
const struct report_format *report_format_find(const char *name);
/* The names for messages: "table, json, ...". */
const char *report_format_names(void);

extern const struct report_format report_table;
extern const struct report_format report_json;
extern const struct report_format report_nagios;
extern const struct report_format report_openmetrics;
extern const struct report_format report_html;

/* Where there is no report at all: to a monitoring system any other status is out of bounds, and
 * what stands first on standard output is what it shows. Returns the exit status. */
int report_nagios_unknown(const char *why);

#endif
