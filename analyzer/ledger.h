/* SPDX-License-Identifier: MIT */
#ifndef TM_LEDGER_H
#define TM_LEDGER_H

#include "analyzer/forecast/forecast.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The track record: every forecast that was made is kept, and judged when its time has come.
 * STATEDIR/ledger/HOST/DEVICE.ndjson holds one JSON object a forecast, oldest first, appended in
 * one write and synced. A line that cannot be read (a power cut within the write) is passed over,
 * and counted; ledger_tell_damage() names it.
 */
struct ledger_entry {
  int64_t at;     /* time of the newest row that the forecast had seen */
  char of[40];    /* "capacity", "load", "slots", "supply:Black": which limit */
  char model[80]; /* the forecast's model name */
  double used;    /* then */
  double limit;   /* then; the forecast is judged by this limit, whatever was added later */
  int64_t fill[FORECAST_N_QUANTILES]; /* FORECAST_NONE: no date */
  double probability[FORECAST_N_HORIZONS];
};

struct ledger {
  struct ledger_entry *entries;
  size_t len;
  size_t damaged; /* lines that are no forecasts, */
  size_t damage;  /* and the first of them, from 1 */
};

/* Reads a device's ledger; an absent file gives an empty one. */
int ledger_read(struct ledger *out, const char *state_dir, const char *host, const char *device,
                struct tm_error *err);
void ledger_release(struct ledger *l);
/* A warning, where lines of it were passed over. */
void ledger_tell_damage(const struct ledger *l, const char *state_dir, const char *host,
                        const char *device);

/* These two may be called by several processes at once: one waits for the other.
 *
 * Appends, unless the last entry of the same limit has the same `at` (the timer may come twice).
 * Returns 1 when it was appended, 0 when it stood there, or a negative errno. */
int ledger_append(const char *state_dir, const char *host, const char *device,
                  const struct ledger_entry *entry, struct tm_error *err);

/* Rewrites the file without the entries made before `keep_since`. Returns how many went. */
int ledger_prune(const char *state_dir, const char *host, const char *device, int64_t keep_since,
                 struct tm_error *err);

/* The entry of a forecast result. */
void ledger_entry_make(struct ledger_entry *out, const char *of, const struct forecast_result *r);

/* What became of one forecast. */
enum ledger_outcome {
  LEDGER_PENDING, /* neither has the limit been reached nor has the range passed */
  LEDGER_INSIDE,  /* reached between the 0.1 and the 0.9 quantile */
  LEDGER_EARLY,   /* the range lay before what happened */
  LEDGER_LATE     /* reached before the range began, or without a date at all */
};

struct ledger_judgement {
  enum ledger_outcome outcome;
  double error_days;   /* median date less what happened: negative is too early; NAN: no such date.
                          Where the limit is not reached yet, 'at least'. */
  int reached;         /* 1 when the limit was reached */
  double reached_days; /* days from `at` to there; NAN */
};

/*
 * Judges an entry by the rows of the same quantity (time ascending, NAN = missing) up to the
 * newest. direction tells from which side the limit is reached.
 */
struct ledger_judgement ledger_judge(const struct ledger_entry *e, const int64_t *time,
                                     const double *value, size_t n,
                                     enum forecast_direction direction);

/* The median of errors in days, which are sorted on the way; NAN for none. */
double ledger_median(double *values, size_t n);

/* "last 6 forecasts: 5 inside the range, median 4 days early"; empty when none was judged. Counts
 * at most the newest `most` judged ones. Returns how many. */
size_t ledger_record_text(char *out, size_t size, const struct ledger_judgement *judgements,
                          size_t n, size_t most);

#endif
