/* SPDX-License-Identifier: MIT */
#ifndef TM_THRESHOLDS_H
#define TM_THRESHOLDS_H

#include <stddef.h>

/* Where the rules of recommendation begin to speak: the block `recommend` of tidemark.conf. The
 * site, the vendor's batch and the desk use the same ones. contrib/doc/recommendations.md explains
 * them. */

/* Where 'nothing' ends. Times in days, shares and probabilities from 0 to 1. */
struct rule_thresholds {
  double within_days;
  double min_probability;
  double planning_days;
  double busy_share;
  double load_floor_share;
  double duty_share;
  double duty_days;
  double supply_days;
  double supply_share;
  double software_days;
  double service_days;
  double end_of_service_days;
};

/* One row a threshold: the configuration, its manual page and the tests are held against it. */
struct rule_threshold {
  const char *name; /* of the key in tidemark.conf, block recommend */
  size_t offset;
  double initial, min, max;
  const char *help;
};
extern const struct rule_threshold rule_threshold_rows[]; /* ends with name == NULL */
void rule_thresholds_init(struct rule_thresholds *t);

#endif
