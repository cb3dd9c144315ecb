/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/inquiry_model.h"

#include "common/clock.h"
#include "common/json.h"
#include "contrib/desk/factory/offer.h"
#include "contrib/desk/sales/words.h"

#include <stdbool.h>
#include <string.h>

static bool is(const char *text, const char *what)
{
  return text != NULL && strcmp(text, what) == 0;
}

struct state {
  const char *text, *tag;
  json_t *sub;
};

static json_t *until(const json_t *row)
{
  char date[TM_DATE_SIZE];
  const json_t *day = json_object_get(row, "keep_until");
  return json_sprintf("until %s", tm_date_format_days(date, json_integer_value(day)));
}

/* What is kept says more than what was answered. */
static struct state state_of(const json_t *row)
{
  const char *hold = tm_json_get_string(row, "hold"), *state = tm_json_get_string(row, "state");
  const char *error = tm_json_get_string(row, "error");
  if (is(hold, "held"))
    return (struct state){"Reserved", "tag-good", until(row)};
  if (is(hold, "wanted"))
    return (struct state){"Being reserved", "tag-soon", NULL};
  if (is(hold, "refused"))
    return (struct state){"Not reserved", "tag-late",
                          json_incref(json_object_get(row, "hold_error"))};
  if (is(hold, "fetched"))
    return (struct state){"Picked up", "tag-good", NULL};
  if (is(hold, "released"))
    return (struct state){"Released", "", NULL};
  if (is(hold, "expired"))
    return (struct state){"Expired", "", until(row)};
  if (is(state, "answered"))
    return (struct state){"Answered", "tag-good", NULL};
  if (is(state, "refused"))
    return (struct state){"Refused", "tag-late", NULL};
  return (struct state){"Waiting", "tag-soon",
                        error != NULL ? json_string("needs a person at the factory") : NULL};
}

void inquiry_decorate(json_t *row, int64_t today)
{
  struct state s = state_of(row);
  const char *state = tm_json_get_string(row, "state"), *hold = tm_json_get_string(row, "hold");
  const json_t *answer = json_object_get(row, "answer");
  bool answered = is(state, "answered"), kept = is(hold, "held") || is(hold, "wanted");
  (void)today;
  json_object_set_new(row, "lines_text", words_lines(json_object_get(row, "lines")));
  json_object_set_new(row, "state_text", json_string(s.text));
  json_object_set_new(row, "state_tag", json_string(s.tag));
  if (s.sub != NULL)
    json_object_set_new(row, "state_sub", s.sub);
  if (json_is_object(answer))
    json_object_set_new(row, "answer_text", offer_words(answer));
  else if (is(state, "refused"))
    json_object_set(row, "answer_text", json_object_get(row, "error"));
  json_object_set_new(row, "waiting", json_boolean(is(state, "open")));
  json_object_set_new(row, "is_refused", json_boolean(is(state, "refused")));
  json_object_set_new(row, "kept", json_boolean(kept));
  json_object_set_new(row, "is_held", json_boolean(is(hold, "held")));
  json_object_set_new(row, "is_wanted", json_boolean(is(hold, "wanted")));
  json_object_set_new(row, "hold_failed", json_boolean(is(hold, "refused")));
  json_object_set_new(row, "may_agree", json_boolean(answered && !kept && !is(hold, "fetched")));
  if (tm_json_get_string(row, "shop_name") == NULL)
    json_object_set(row, "shop_name", json_object_get(row, "shop"));
  if (tm_json_get_string(row, "hold_shop_name") == NULL)
    json_object_set(row, "hold_shop_name", json_object_get(row, "hold_shop"));
}

json_t *inquiry_verdict(const json_t *shops)
{
  const json_t *first = json_array_get(shops, 0), *other = json_array_get(shops, 1);
  char day[TM_DATE_SIZE], sooner[TM_DATE_SIZE];
  if (first == NULL)
    return json_null();
  const char *name = tm_json_get_string(first, "name");
  const json_t *against = json_object_get(first, "against");
  const char *class = tm_json_get_string(against, "class");
  tm_date_format_days(day, json_integer_value(json_object_get(first, "on")));
  json_t *own = is(class, "late")
                    ? json_sprintf("%s is %s", name, tm_json_get_string(against, "text"))
                    : json_sprintf("%s can hand over on %s", name, day);
  if (other == NULL)
    return own;
  tm_date_format_days(sooner, json_integer_value(json_object_get(other, "on")));
  json_t *both = json_sprintf("%s; %s can hand over on %s", json_string_value(own),
                              tm_json_get_string(other, "name"), sooner);
  json_decref(own);
  return both;
}

static void add_step(json_t *steps, const char *text, const char *class, const json_t *at,
                     const json_t *by, const json_t *sub)
{
  json_t *step = json_pack("{s:s,s:s,s:b}", "text", text, "class", class, "current",
                           strcmp(class, "now") == 0);
  if (json_is_integer(at))
    json_object_set(step, "at", (json_t *)at);
  if (json_is_string(by))
    json_object_set(step, "by", (json_t *)by);
  if (json_is_string(sub))
    json_object_set(step, "sub", (json_t *)sub);
  json_array_append_new(steps, step);
}

json_t *inquiry_steps(const json_t *row)
{
  const char *hold = tm_json_get_string(row, "hold"), *state = tm_json_get_string(row, "state");
  bool open = is(state, "open"), kept = is(hold, "held"), fetched = is(hold, "fetched");
  bool over = is(hold, "released") || is(hold, "expired");
  json_t *steps = json_array();
  json_t *need = json_string("needs the customer\xe2\x80\x99s yes");
  add_step(steps, "Asked", open ? "now" : "done", json_object_get(row, "asked_at"),
           json_object_get(row, "by_name"), NULL);
  add_step(steps, is(state, "refused") ? "Refused" : "Answered",
           open           ? "todo"
           : hold == NULL ? "now"
                          : "done",
           json_object_get(row, "answered_at"), json_object_get(row, "answered_by"), NULL);
  if (hold != NULL)
    add_step(steps, "Reserved", kept || is(hold, "wanted") ? "now" : "done",
             json_object_get(row, "hold_at"), json_object_get(row, "hold_by"),
             json_object_get(row, "hold_number"));
  else
    add_step(steps, "Reserved", "todo", NULL, NULL, need);
  if (over)
    add_step(steps, is(hold, "expired") ? "Expired" : "Released", "now",
             json_object_get(row, "hold_state_at"), NULL, NULL);
  else
    add_step(steps, "Picked up", fetched ? "now" : "todo",
             fetched ? json_object_get(row, "hold_state_at") : NULL, NULL, NULL);
  json_decref(need);
  return steps;
}
