/* SPDX-License-Identifier: MIT */
#include "analyzer/series.h"

const char *series_kind_name(enum series_kind kind)
{
  static const char *const names[] = {[SERIES_DISK_ARRAY] = "disk_array",
                                      [SERIES_MEDIA_LIBRARY] = "media_library",
                                      [SERIES_PRINTER] = "printer",
                                      [SERIES_COMPUTER] = "computer",
                                      [SERIES_NETWORK] = "network"};
  return names[kind];
}
