/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/words.h"

#include "common/number.h"
#include "common/text.h"
#include "contrib/desk/claims/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- numbers ------------------------------------------------------------------------------- */

#define MINUS "\xe2\x88\x92"

char *claim_number_text(char *out, size_t size, double value)
{
  char plain[64], grouped[96];
  double whole = fabs(value);
  if (isnan(value) || isinf(value)) {
    snprintf(out, size, "unknown");
    return out;
  }
  if (whole >= 1e15 || (whole > 0 && whole < 0.01))
    snprintf(plain, sizeof(plain), "%.3g", whole);
  else if (whole == floor(whole) || whole >= 10000)
    snprintf(plain, sizeof(plain), "%.0f", whole);
  else
    snprintf(plain, sizeof(plain), "%.2f", whole);
  tm_format_grouped(grouped, sizeof(grouped), plain);
  snprintf(out, size, "%s%s", value < 0 && strpbrk(grouped, "123456789") != NULL ? MINUS : "",
           grouped);
  return out;
}

char *claim_value_text(char *out, size_t size, const json_t *value)
{
  if (json_is_number(value))
    return claim_number_text(out, size, json_number_value(value));
  const char *text =
      json_is_boolean(value) ? (json_is_true(value) ? "on" : "off") : json_string_value(value);
  tm_text_copy(out, size, text);
  return out;
}

/* --- states ----------------------------------------------------------------------------------- */

static const struct {
  const char *state, *word, *class;
} states[] = {
    {"open", "Open", "tag-accent"},   {"collecting", "Collecting", ""},
    {"ready", "Ready", "tag-accent"}, {"answered", "Answered", "tag-good"},
    {"closed", "Closed", ""},
};

static size_t state_at(const char *state)
{
  size_t n = sizeof(states) / sizeof(states[0]), i = 0;
  while (i < n - 1 && (state == NULL || strcmp(states[i].state, state) != 0))
    i++;
  return i;
}

const char *claim_state_word(const char *state)
{
  return states[state_at(state)].word;
}

const char *claim_state_class(const char *state)
{
  return states[state_at(state)].class;
}

const char *claim_via_word(const char *via)
{
  static const char *const rows[][2] = {
      {"form", "by form"}, {"api", "by a program"}, {"mail", "by mail"}, {"crm", "from the CRM"}};
  for (size_t i = 0; via != NULL && i < 4; i++)
    if (strcmp(rows[i][0], via) == 0)
      return rows[i][1];
  return "";
}

const char *claim_event_words(const char *what, const char *to_state)
{
  static const char *const rows[][2] = {
      {"came", "Came in"},
      {"asked", "Items were asked for"},
      {"device", "The device was named"},
      {"attached", "Attached to the complaint in the CRM"},
      {"not attached", "The CRM did not take the attachment"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
    if (strcmp(rows[i][0], what) == 0)
      return rows[i][1];
  return to_state != NULL ? claim_state_word(to_state) : what;
}

/* --- a strip ---------------------------------------------------------------------------------- */

enum { LEFT = 22, RIGHT = 154, LEFT_END = 8, RIGHT_END = 168 };

struct scale {
  double low, high;
};

static double place(const struct scale *s, double value)
{
  if (value < s->low)
    return LEFT_END;
  if (value > s->high)
    return RIGHT_END;
  if (s->high <= s->low)
    return (LEFT + RIGHT) / 2.0;
  return LEFT + (value - s->low) / (s->high - s->low) * (RIGHT - LEFT);
}

static double clamp(const struct scale *s, double value)
{
  return fmin(fmax(value, s->low), s->high);
}

/* A tenth of a unit is enough for an eye. */
static json_t *tenth(double x)
{
  return json_sprintf("%.1f", x);
}

static json_t *mark(const struct compare_numbers *c, const struct scale *s, double claimed)
{
  double x = place(s, claimed);
  return c->outlier ? json_pack("{s:o, s:s}", "path", json_sprintf("M%.1f 3l5 5-5 9-5-9z", x),
                                "class", "out")
                    : json_pack("{s:o, s:s}", "path", json_sprintf("M%.1f 4l4 6-4 6-4-6z", x),
                                "class", "dot");
}

json_t *claim_strip(const struct compare_numbers *c, const double *peers, double claimed)
{
  const struct scale s = {fmin(c->low, c->mean - c->spread), fmax(c->high, c->mean + c->spread)};
  char own[48], low[48], high[48];
  json_t *dots = json_array();
  for (size_t i = 0; i < c->n; i++)
    json_array_append_new(dots, json_pack("{s:o}", "cx", tenth(place(&s, peers[i]))));
  double left = place(&s, clamp(&s, c->mean - c->spread)),
         right = place(&s, clamp(&s, c->mean + c->spread));
  json_t *strip =
      json_pack("{s:o, s:{s:o, s:o}, s:o}", "peers", dots, "band", "x", tenth(left), "width",
                tenth(fmax(right - left, 1)), "mean", tenth(place(&s, c->mean)));
  claim_number_text(low, sizeof(low), c->low);
  claim_number_text(high, sizeof(high), c->high);
  if (isnan(claimed)) {
    json_object_set_new(strip, "label", json_sprintf("Peers %s to %s", low, high));
    return strip;
  }
  json_object_set_new(strip, "label",
                      json_sprintf("This device %s, peers %s to %s",
                                   claim_number_text(own, sizeof(own), claimed), low, high));
  json_object_set_new(strip, "mark", mark(c, &s, claimed));
  return strip;
}
