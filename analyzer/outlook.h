/* SPDX-License-Identifier: MIT */
#ifndef TM_OUTLOOK_H
#define TM_OUTLOOK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * When something will be needed: the chance that it is needed by a time, as a summary's
 * forecast.fill tells it (dates of quantiles, probabilities by horizon), read back as one curve of
 * straight pieces. Beyond its last known point nothing is said: the curve stays flat.
 */
#define OUTLOOK_MAX_NODES 24

struct outlook {
  size_t n; /* 0: nothing is known */
  struct outlook_node {
    int64_t at;
    double p;
  } node[OUTLOOK_MAX_NODES]; /* at and p ascend */
};

/*
 * Reads {"0.1":"…","0.5":"…", …, "probability_by_horizon":{"30d":0.2, …}}; the horizons count from
 * `from`. Keys that are no quantile, null dates and what cannot be read are passed over; points
 * that contradict (a probability that falls) are raised to the one before.
 */
void outlook_read(struct outlook *o, const json_t *fill, int64_t from);
/* Needed at this time, surely. */
void outlook_at(struct outlook *o, int64_t at);
/* Normally distributed around a time; spread_s is the standard deviation. */
void outlook_normal(struct outlook *o, int64_t middle, double spread_s);

/* The chance that it is needed by t; NAN when nothing is known. */
double outlook_probability(const struct outlook *o, int64_t t);
/* The time by which that chance is p; INT64_MIN when the curve does not get there. */
int64_t outlook_time(const struct outlook *o, double p);
/* {"0.1":date,"0.5":date,"0.9":date,"probability_by_horizon":{…}} counted from `from`; null dates
 * where the curve does not get there. A new reference. */
json_t *outlook_json(const struct outlook *o, int64_t from);

#endif
