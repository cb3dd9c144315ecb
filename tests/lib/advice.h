/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_ADVICE_H
#define TM_TESTS_ADVICE_H

#include "analyzer/recommend.h"
#include "tests/lib/summary_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is proposed for a sample of a summary, with the catalogue of contrib/schema/samples.
 * cmocka.h must be included before. */
static struct catalogue catalogue;
static struct rule_thresholds thresholds;

/* "grow:SHELF-20T*4+FW-DS200-4.4.2*1 supply:TONER-K-PX9*1", the first to be ordered in front. */
static inline const char *shape(const json_t *list)
{
  static char text[1000];
  text[0] = '\0';
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *r = json_array_get(list, i);
    const json_t *lines = json_object_get(r, "lines");
    size_t len = strlen(text);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:", i > 0 ? " " : "",
                            tm_json_get_string(r, "action"));
    for (size_t k = 0; k < json_array_size(lines); k++)
      len += (size_t)snprintf(
          text + len, sizeof(text) - len, "%s%s*%d", k > 0 ? "+" : "",
          tm_json_get_string(json_array_get(lines, k), "sku"),
          (int)json_integer_value(json_object_get(json_array_get(lines, k), "quantity")));
  }
  return text;
}

static inline json_t *advise(const json_t *summary, int64_t now)
{
  json_t *list = NULL;
  struct tm_error err = {0};
  if (recommend(summary, &catalogue, &thresholds, now, &list, &err) != 0)
    fail_msg("%s", err.text);
  return list;
}

static inline json_t *advise_sample(const struct sample *s)
{
  json_t *summary = sample_summary(s);
  json_t *list = advise(summary, SAMPLE_NOW);
  json_decref(summary);
  return list;
}

static inline void expect(const struct sample *s, const char *wanted)
{
  json_t *list = advise_sample(s);
  if (strcmp(shape(list), wanted) != 0) {
    for (size_t i = 0; i < json_array_size(list); i++)
      print_message("# %s\n", tm_json_get_string(json_array_get(list, i), "reason"));
    fail_msg("\"%s\", wanted \"%s\"", shape(list), wanted);
  }
  json_decref(list);
}

#define FULL_SOON .used_tib = 97.6, .growth_tib = 0.29, .d10 = 51, .d50 = 78, .d90 = 113

struct golden {
  const char *what;
  const char *wanted;
  struct sample s;
};

static inline void expect_all(const struct golden *cases, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    print_message("# %s\n", cases[i].what);
    expect(&cases[i].s, cases[i].wanted);
  }
}
#define EXPECT_ALL(cases) expect_all(cases, sizeof(cases) / sizeof((cases)[0]))

/* Of advice that is there. Borrowed. */
static inline const json_t *first(const json_t *list)
{
  assert_true(json_array_size(list) > 0);
  return json_array_get(list, 0);
}

/* The catalogue that is in the tree, and the thresholds of no configuration: false after a message.
 * catalogue_release(&catalogue) in the end. */
static inline bool advice_load(void)
{
  const char *source = getenv("SOURCE");
  struct tm_error err = {0};
  if (source != NULL && chdir(source) < 0)
    return false;
  if (catalogue_load(&catalogue, "contrib/schema/samples/catalogue.json", &err) < 0) {
    printf("Bail out! %s\n", err.text);
    return false;
  }
  rule_thresholds_init(&thresholds);
  return true;
}

#endif
