/* SPDX-License-Identifier: MIT */
#ifndef TM_URGENCY_H
#define TM_URGENCY_H

#include <jansson.h>
#include <stdint.h>

/* The order in which people are told of devices: what has to be done first stands first. */
#define URGENCY_NEVER INT64_MAX

struct urgency {
  int64_t act_by; /* the day to order by, else the middle of the fill date; URGENCY_NEVER */
  int64_t middle; /* the fill date's median; URGENCY_NEVER */
  int64_t early;  /* its early edge; URGENCY_NEVER */
  double probability_90d;
  char *name; /* HOST/DEVICE, owned */
};

/* 0 or -ENOMEM. */
int urgency_read(struct urgency *u, const json_t *summary);
void urgency_release(struct urgency *u);
/* Negative, 0 or positive as a comes before b, is the same device, or comes after it. */
int urgency_compare(const struct urgency *a, const struct urgency *b);

#endif
