/* SPDX-License-Identifier: MIT */
/*
 * Pools the members' chances into one.
 */
#include "analyzer/forecast/steps.h"

void fc_pool(double p[FC_NODES], double member[FC_MEMBERS][FC_NODES], const struct fc_grid *g)
{
  static const double weight[FC_MEMBERS] = {0.5, 0.1, 0.25, 0.15};
  (void)g;
  for (size_t a = 0; a < FC_NODES; a++) {
    p[a] = 0;
    for (size_t m = 0; m < FC_MEMBERS; m++)
      p[a] += weight[m] * member[m][a];
  }
}
