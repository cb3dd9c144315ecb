/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_COMPARE_H
#define TM_DESK_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One device beside others of its model: pure arithmetic. The claimed device's own value is never
 * among the peers, and of fewer than COMPARE_LEAST of them nothing is told: from a mean of two,
 * either one could tell the other's value.
 */
enum { COMPARE_LEAST = 5, COMPARE_FAR = 3 };

struct compare_numbers {
  size_t n;                    /* how many peers told a number */
  bool shown;                  /* n is enough; what follows is NAN or false otherwise */
  double mean, median, spread; /* spread: standard deviation, with n - 1 */
  double low, high;            /* the least and greatest peer */
  double percentile;           /* 0..100: peers below, and half of those alike; NAN: no value */
  double distance;             /* of the claimed one from the mean, in spreads; may be infinite */
  bool below_all, above_all;
  bool outlier; /* more than COMPARE_FAR spreads away */
};

/* Sorts `peers`, which holds no NAN. claimed NAN: that device told no number. */
void compare_numbers(struct compare_numbers *out, double *peers, size_t n, double claimed);

struct compare_texts {
  size_t n; /* how many peers told a text */
  bool shown;
  size_t same;      /* peers that say what the claimed one says */
  const char *most; /* what most peers say, one of theirs; "" unless COMPARE_LEAST of them or the
                       claimed one do: a rare text may say whose it is */
  size_t most_n;
  bool outlier; /* fewer than one in ten say the same, and more than half say one other thing */
};

/* Sorts `peers`. claimed NULL: that device told none. */
void compare_texts(struct compare_texts *out, const char **peers, size_t n, const char *claimed);

#endif
