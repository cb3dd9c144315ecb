/* SPDX-License-Identifier: MIT */
#ifndef TM_SCHEDULE_H
#define TM_SCHEDULE_H

#include "common/clock.h"
#include "common/conf.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * When a record is made: every N days, on a day of the month, on a weekday, at a minute of the
 * local day. A set time that passed while the host was off is made up for at the next start, dated
 * as it was set; several of them by one record. Local days are those of tm_zone_use().
 */

/* A local date as days since 1970-01-01, for the rule 'every N days'. */
int64_t schedule_day(int64_t t);

/* The newest set time at or before t, the time at_minute of a local day; INT64_MIN before the
 * anchor. anchor_day is the day from which N days are counted. */
int64_t schedule_latest(const struct tm_conf_schedule *s, int64_t anchor_day, int64_t t);

/* What was done last, STATE/schedule.json. */
struct schedule_state {
  int64_t anchor_day; /* INT64_MIN: nothing was recorded yet */
  int64_t last;       /* the set time of the last record; INT64_MIN: none */
};
/* 0 also where there is none yet; -EBADMSG for one that is none, and says what to do. */
int schedule_load(struct schedule_state *state, const char *state_dir, struct tm_error *err);
int schedule_save(const struct schedule_state *state, const char *state_dir, struct tm_error *err);

struct schedule_answer {
  bool due;
  bool clock_went_back;       /* the last record is dated later than now: nothing is due */
  int64_t to;                 /* the set time that has come, when due */
  struct schedule_state next; /* to be saved once the records are safe */
};
void schedule_ask(struct schedule_answer *out, const struct tm_conf_schedule *s,
                  const struct schedule_state *state, int64_t now);

/* A fleet that is due at the same minute comes spread over the jitter: the seconds by which this
 * site is later than its set time, always the same. Either name may be NULL. */
int64_t schedule_jitter(const struct tm_conf_schedule *s, const char *customer, const char *site);

/* True while nothing is to be sent. */
bool schedule_is_quiet(const struct tm_conf_schedule *s, int64_t now);

#endif
