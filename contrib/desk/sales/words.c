/* SPDX-License-Identifier: MIT */
#include "contrib/desk/sales/words.h"

#include "contrib/desk/http/filters.h"

#include "common/buf.h"
#include "common/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SOON_DAYS 14

struct word {
  const char *code, *text, *class;
};

static const struct word kinds[] = {
    {"disk_array", "disk array", NULL}, {"media_library", "tape library", NULL},
    {"printer", "printer", NULL},       {"computer", "computer", NULL},
    {"network", "link", NULL},          {NULL, NULL, NULL},
};
static const struct word actions[] = {
    {"grow", "Grow", NULL},     {"cache", "Cache", NULL},
    {"faster", "Faster", NULL}, {"software", "Software", NULL},
    {"supply", "Supply", NULL}, {"service", "Service", NULL},
    {NULL, NULL, NULL},
};
static const struct word states[] = {
    {"new", "New", "tag-accent"},
    {"contacted", "Contacted", ""},
    {"proposed", "Proposed", ""},
    {"agreed", "Agreed", "tag-good"},
    {"ordered", "Ordered", "tag-good"},
    {"delivered", "Delivered", "tag-good"},
    {"installed", "Installed", "tag-good"},
    {"snoozed", "Snoozed", ""},
    {"lost", "Lost", ""},
    {"gone", "No longer needed", ""},
    {NULL, NULL, NULL},
};

static const struct word *find(const struct word *words, const char *code)
{
  for (; code != NULL && words->code != NULL; words++)
    if (strcmp(words->code, code) == 0)
      return words;
  return NULL;
}

static const char *text_of(const struct word *words, const char *code, const char *otherwise)
{
  const struct word *found = find(words, code);
  return found != NULL ? found->text : code != NULL ? code : otherwise;
}

static json_t *all_of(const struct word *words, const char *chosen)
{
  json_t *list = json_array();
  for (; words->code != NULL; words++)
    filter_option(list, words->code, words->text, chosen);
  return list;
}

const char *words_kind(const char *kind)
{
  return text_of(kinds, kind, "device");
}

const char *words_action(const char *action)
{
  return text_of(actions, action, "Need");
}

const char *words_state(const char *state)
{
  return text_of(states, state, "unknown");
}

const char *words_state_class(const char *state)
{
  const struct word *found = find(states, state);
  return found != NULL ? found->class : "";
}

json_t *words_kinds(const char *chosen)
{
  return all_of(kinds, chosen);
}

json_t *words_actions(const char *chosen)
{
  return all_of(actions, chosen);
}

json_t *words_states(const char *chosen)
{
  return all_of(states, chosen);
}

static const char *plural(int64_t n)
{
  return n == 1 ? "" : "s";
}

json_t *words_when(int64_t day, int64_t today)
{
  if (day == INT64_MIN)
    return json_null();
  int64_t ahead = day - today;
  const char *class = "", *sign = "";
  json_t *text;
  if (ahead < 0) {
    class = "late", sign = "\xe2\x96\xb2";
    text = json_sprintf("%lld day%s late", (long long)-ahead, plural(-ahead));
  } else if (ahead == 0) {
    class = "soon", sign = "\xe2\x97\x86";
    text = json_string("today");
  } else {
    if (ahead <= SOON_DAYS)
      class = "soon", sign = "\xe2\x97\x86";
    text = json_sprintf("in %lld day%s", (long long)ahead, plural(ahead));
  }
  return json_pack("{s:s, s:s, s:o}", "class", class, "sign", sign, "text", text);
}

json_t *words_lines(const json_t *lines)
{
  struct tm_buf text = TM_BUF_INIT(4096);
  size_t i;
  const json_t *line;
  json_array_foreach(lines, i, line)
  {
    const char *sku = tm_json_get_string(line, "sku");
    if (tm_buf_printf(&text, "%s%.0f \xc3\x97 %s", i > 0 ? ", " : "",
                      tm_json_get_number(line, "quantity"), sku != NULL ? sku : "?") != 0)
      break; /* a list that is longer than a line of a page */
  }
  json_t *out = json_string(text.len > 0 ? text.ptr : "");
  tm_buf_release(&text);
  return out;
}
