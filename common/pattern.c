/* SPDX-License-Identifier: MIT */
#include "common/pattern.h"

#include "common/json_memory.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* Of one text; the patterns of schemas need a few hundred. */
enum { STEPS_MAX = 1000000 };

struct tm_pattern {
  pcre2_code *code;
  pcre2_match_context *bounds;
};

int tm_pattern_new(struct tm_pattern **pattern, const char *text)
{
  int fault = 0;
  PCRE2_SIZE at = 0;
  struct tm_pattern *p = calloc(1, sizeof(*p));
  if (p == NULL)
    return -ENOMEM;
  p->code =
      pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                    PCRE2_DOLLAR_ENDONLY | PCRE2_DOTALL | PCRE2_NO_AUTO_CAPTURE, &fault, &at, NULL);
  p->bounds = p->code != NULL ? pcre2_match_context_create(NULL) : NULL;
  if (p->bounds == NULL) {
    bool starved = p->code != NULL || fault == PCRE2_ERROR_HEAP_FAILED;
    tm_pattern_free(p);
    return starved ? -ENOMEM : -EINVAL;
  }
  pcre2_set_match_limit(p->bounds, STEPS_MAX);
  pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* else it is interpreted */
  *pattern = p;
  return 0;
}

void tm_pattern_free(struct tm_pattern *p)
{
  if (p == NULL)
    return;
  pcre2_match_context_free(p->bounds);
  pcre2_code_free(p->code);
  free(p);
}

bool tm_pattern_fits(const struct tm_pattern *p, const char *text)
{
  pcre2_match_data *found = pcre2_match_data_create(1, NULL);
  int rc = found == NULL
               ? PCRE2_ERROR_NOMEMORY
               : pcre2_match(p->code, (PCRE2_SPTR)text, strlen(text), 0, 0, found, p->bounds);
  pcre2_match_data_free(found);
  if (rc == PCRE2_ERROR_NOMEMORY)
    tm_json_starve();
  return rc >= 0;
}
