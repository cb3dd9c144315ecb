/* SPDX-License-Identifier: MIT */
#include "plugins/source/redfish_value.h"

#include "common/json.h"
#include "common/text.h"

#include <math.h>
#include <string.h>
#include <strings.h>

char *redfish_path(const char *link)
{
  const char *start = strstr(link, "://");
  if (start != NULL)
    start = strchr(start + 3, '/');
  if (start == NULL)
    start = strncmp(link, "/", 1) == 0 ? link : "";
  size_t len = strcspn(start, "?#");
  while (len > 0 && start[len - 1] == '/')
    len--;
  return strndup(start, len);
}

const char *redfish_last_segment(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static bool says_nothing(const char *text)
{
  static const char *const words[] = {"",     "unknown", "n/a",           "na",
                                      "none", "null",    "not available", "not specified"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (strcasecmp(text, words[i]) == 0)
      return true;
  return false;
}

void redfish_get_text(char out[READING_NAME], const json_t *doc, const char *key)
{
  const json_t *v = json_object_get(doc, key);
  out[0] = '\0';
  if (json_is_string(v))
    tm_text_clean(out, READING_NAME, json_string_value(v), json_string_length(v));
  if (says_nothing(out))
    out[0] = '\0';
}

double redfish_get_count(const json_t *doc, const char *key)
{
  double v = tm_json_get_number(doc, key);
  return v >= 0 && v < 0x1p63 ? v : NAN;
}

double redfish_get_size(const json_t *doc, const char *key)
{
  double v = redfish_get_count(doc, key);
  return v > 0 ? v : NAN;
}
