/* SPDX-License-Identifier: MIT */
#ifndef TM_HEALTH_H
#define TM_HEALTH_H

#include "common/conf.h"
#include "common/error.h"
#include "common/sign.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * How a target is, kept between runs (a note of state.h): when it was last polled, until when it is
 * left alone, and whether it turned us away, which only new credentials, another URL or a person's
 * `push --now` mend.
 */
struct health {
  int failures;       /* in a row, of the target as a whole */
  int64_t hold_until; /* UTC; 0: not held */
  bool asked;         /* it was the receiver who asked for the hold */
  int64_t polled_at;  /* UTC; 0: never */
  int64_t skew_s;     /* our clock less the receiver's when it refused us for it */
  bool stopped;
  char fingerprint[TM_SHA256_HEX]; /* of the target's configuration and credentials when it was
                                      stopped */
  char reason[256];
};

/* From and to STATE/export/TARGET.health.json; without it all is well. 0 or a negative errno. */
int health_load(struct health *h, const char *state_dir, const char *target, struct tm_error *err);
int health_save(const struct health *h, const char *state_dir, const char *target,
                struct tm_error *err);

/* It answered. */
void health_up(struct health *h);
/* It did not: nothing is sent until then, which the receiver may have asked for. skew_s: by how
 * many seconds our clock is ahead of its own, where that was the trouble; else 0. */
void health_down(struct health *h, const char *reason, int64_t until, bool asked, int64_t skew_s);
/* It refused the target as a whole: see health_is_held(). */
void health_stop(struct health *h, const char *reason, const struct tm_conf_target *target);
/* Nothing is to be sent now. A stop ends when the target's configuration or credentials change; a
 * person's own call (manual) does not wait where the receiver did not ask for it. */
bool health_is_held(const struct health *h, const struct tm_conf_target *target, bool manual,
                    int64_t now);
/* A new try begins: the hold is over, the count of failures stays until it answers. */
void health_try(struct health *h);
/* This trouble was told by the last run already. */
bool health_is_told(const struct health *h, const char *reason);
/* The last poll was every_s or more seconds ago, or in what is the future by now, or never. */
bool health_poll_due(const struct health *h, int64_t now, int64_t every_s);

#endif
