/* SPDX-License-Identifier: MIT */
/*
 * Pools the members' chances into one.
 *
 * A small network works on the members' log-odds at each horizon. How much it trusts each member
 * depends on the horizon and on the history's shape, but never on the limit, and every weight on a
 * member is a square: more room can therefore never raise a chance. A weighted mean of chances was
 * tried first; it is 5 % worse in CRPS on kept-apart projects, for it cannot sharpen where members
 * agree (Ranjan and Gneiting, "Combining probability forecasts", 2010).
 *
 * The numbers are fitted by tests/bench/forecast/fit_pool.py, which says on what.
 */
#include "analyzer/forecast/steps.h"
#include "analyzer/forecast/pool_fit.h"

#include <math.h>

_Static_assert(FIT_HIDDEN <= FC_HIDDEN_MAX, "struct fc_pool holds them");

#define CHANCE_LEAST 0.003 /* log-odds beyond this tell nothing more */
#define CHANCE_DOUBT 0.002
#define ODDEST       2.5             /* standard deviations: odder shapes are taken for this odd */
#define SQUASHED     4.9717868585280 /* where the convergent reaches 1 */
#define DAYS_MIDDLE  90.0
#define DAYS_MOST    730.0 /* longer horizons are pooled like this one */

/* A convergent of Lambert's continued fraction of tanh: rising, within 1e-4, and 1 at its end.
 * Without a call and without branches, so that compilers work on several units at once. */
static double squash(double z)
{
  z = z < -SQUASHED ? -SQUASHED : z > SQUASHED ? SQUASHED : z;
  double q = z * z;
  return z * (135135 + q * (17325 + q * (378 + q))) / (135135 + q * (62370 + q * (3150 + q * 28)));
}

static double log_odds(double p)
{
  p = fmin(fmax(p, CHANCE_LEAST), 1 - CHANCE_LEAST);
  return log(p / (1 - p));
}

void fc_pool_prepare(struct fc_pool *p, const double shape[FC_SHAPES])
{
  p->constant = fit_constant;
  for (int j = 0; j < FIT_HIDDEN; j++)
    p->hidden[j] = fit_hidden_constant[j];
  for (int i = 0; i < FC_SHAPES; i++) {
    double odd = (shape[i] - fit_shape_mean[i]) / fit_shape_sd[i];
    odd = fmin(fmax(odd, -ODDEST), ODDEST);
    p->constant += fit_shape[i] * odd;
    for (int j = 0; j < FIT_HIDDEN; j++)
      p->hidden[j] += fit_hidden_shape[i][j] * odd;
  }
}

double fc_pool_chance(const struct fc_pool *p, const double member[FC_MEMBERS], double days)
{
  double late = 0.5 * log(fmin(days, DAYS_MOST) / DAYS_MIDDLE);
  double odds[FC_MEMBERS], most = 0, sum = p->constant + fit_late * late;
  for (int m = 0; m < FC_MEMBERS; m++) {
    odds[m] = log_odds(member[m]);
    most = fmax(most, member[m]);
    sum += fit_member[m] * odds[m];
  }
  double z[FIT_HIDDEN];
  for (int j = 0; j < FIT_HIDDEN; j++)
    z[j] = p->hidden[j] + fit_hidden_late[j] * late;
  for (int m = 0; m < FC_MEMBERS; m++)
    for (int j = 0; j < FIT_HIDDEN; j++)
      z[j] += fit_hidden_member[m][j] * odds[m];
  for (int j = 0; j < FIT_HIDDEN; j++)
    z[j] = fit_hidden[j] * squash(z[j]);
  for (int j = 0; j < FIT_HIDDEN; j++)
    sum += z[j];
  /* where no member sees a chance there is none, whatever the sum's constant says */
  return 1 / (1 + exp(-sum)) * most / (most + CHANCE_DOUBT);
}
