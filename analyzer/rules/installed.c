/* SPDX-License-Identifier: MIT */
/* What is built into a device, as its configuration tells it. */
#include "analyzer/rules/rules.h"

#include "common/json.h"

#include <stdlib.h>
#include <string.h>

unsigned rule_installed(const json_t *product, const struct catalogue_item *item)
{
  const char *start = tm_json_get_string(product, "configuration");
  const char *s = start;
  size_t len = strlen(item->sku);
  unsigned pieces = 0;
  for (; s != NULL && (s = strstr(s, item->sku)) != NULL; s += len) {
    const char *p = s;
    char end = s[len];
    /* The whole SKU: "SHELF-20T" does not stand in "SHELF-20T-SSD". */
    if ((p > start && strchr(" ,;(", p[-1]) == NULL) || strchr(" ,;.)", end) == NULL)
      continue;
    while (p > start && p[-1] == ' ')
      p--;
    if (p > start && p[-1] == 'x')
      p--;
    else if (p - start >= 2 && memcmp(p - 2, "\xc3\x97", 2) == 0) /* the sign × */
      p -= 2;
    else {
      pieces++;
      continue;
    }
    while (p > start && p[-1] == ' ')
      p--;
    const char *digits = p;
    while (digits > start && digits[-1] >= '0' && digits[-1] <= '9')
      digits--;
    pieces += digits < p && p - digits <= 4 ? (unsigned)strtoul(digits, NULL, 10) : 1;
  }
  return pieces;
}
