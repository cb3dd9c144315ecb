/* SPDX-License-Identifier: MIT */
#include "contrib/desk/chart/axis.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

double axis_step(double top, double wanted)
{
  double rough = top / wanted, power = pow(10, floor(log10(rough)));
  static const double of[] = {1, 2, 5, 10};
  for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
    if (of[i] * power >= rough * 0.8)
      return of[i] * power;
  return 10 * power;
}

double axis_unit(const char *unit, double top, const char **name)
{
  static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double scale = 1;
  size_t i = 0;
  *name = unit != NULL && strcmp(unit, "pieces") != 0 ? unit : "";
  if (unit == NULL || strcmp(unit, "bytes") != 0)
    return 1;
  for (; top / scale >= 1024 * 2 && i + 1 < sizeof(names) / sizeof(names[0]); i++)
    scale *= 1024;
  *name = names[i];
  return scale;
}
