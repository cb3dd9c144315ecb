/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/offer.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"

#include <stdbool.h>
#include <string.h>

static bool is_at(const json_t *spot, const char *shop)
{
  const char *name = tm_json_get_string(spot, "shop");
  return name != NULL && strcmp(name, shop) == 0;
}

/* Where a line can be had at this shop; NULL: nowhere. */
static const json_t *spot_at(const json_t *line, const char *shop)
{
  const json_t *at = json_object_get(line, "at"), *sooner = json_object_get(line, "sooner");
  return is_at(at, shop) ? at : is_at(sooner, shop) ? sooner : NULL;
}

json_t *offer_lines(const json_t *answer, const char *shop, int64_t *ready_on)
{
  json_t *out = json_array();
  int64_t latest = INT64_MIN;
  size_t i;
  const json_t *line;
  json_array_foreach(json_object_get(answer, "lines"), i, line)
  {
    const json_t *spot = spot_at(line, shop);
    int64_t day = tm_json_day(spot, "on");
    if (spot == NULL || day == INT64_MIN) {
      json_decref(out);
      return NULL;
    }
    latest = day > latest ? day : latest;
    json_array_append_new(out,
                          json_pack("{s:O,s:O,s:O}", "sku", json_object_get(line, "sku"),
                                    "quantity", json_object_get(line, "quantity"), "at", spot));
  }
  if (json_array_size(out) == 0) {
    json_decref(out);
    return NULL;
  }
  *ready_on = latest;
  return out;
}

/* The shops at which all lines can be had, in the order in which the answer names them. */
static json_t *shops_of(const json_t *answer)
{
  static const char *const keys[] = {"at", "sooner"};
  json_t *shops = json_array();
  for (size_t k = 0; k < 2; k++) {
    size_t i, j;
    const json_t *line, *known;
    json_array_foreach(json_object_get(answer, "lines"), i, line)
    {
      const char *shop = tm_json_get_string(json_object_get(line, keys[k]), "shop");
      int64_t day;
      bool there = shop == NULL;
      json_array_foreach(shops, j, known)
      {
        there = there || strcmp(json_string_value(known), shop) == 0;
      }
      json_t *lines = there ? NULL : offer_lines(answer, shop, &day);
      if (lines != NULL)
        json_array_append_new(shops, json_string(shop));
      json_decref(lines);
    }
  }
  return shops;
}

json_t *offer_words(const json_t *answer)
{
  struct tm_buf text = TM_BUF_INIT(4096);
  json_t *shops = shops_of(answer), *shop;
  size_t i;
  char date[TM_DATE_SIZE];
  json_array_foreach(shops, i, shop)
  {
    int64_t day = 0;
    json_decref(offer_lines(answer, json_string_value(shop), &day));
    tm_buf_printf(&text, "%s%s %s", i > 0 ? "; " : "", json_string_value(shop),
                  tm_date_format_days(date, day));
  }
  /* Each line at a shop of its own. */
  if (json_array_size(shops) == 0) {
    const json_t *line;
    json_array_foreach(json_object_get(answer, "lines"), i, line)
    {
      const json_t *at = json_object_get(line, "at");
      const char *name = tm_json_get_string(at, "shop"), *on = tm_json_get_string(at, "on");
      tm_buf_printf(&text, "%s%s %s", i > 0 ? "; " : "", name != NULL ? name : "?",
                    on != NULL ? on : "?");
    }
  }
  json_decref(shops);
  json_t *out = json_string(text.len > 0 ? text.ptr : "");
  tm_buf_release(&text);
  return out;
}

static const char *plural(int64_t n)
{
  return n == 1 ? "" : "s";
}

json_t *offer_day_against(int64_t day, const json_t *wanted_on)
{
  if (!json_is_integer(wanted_on))
    return json_null();
  int64_t spare = json_integer_value(wanted_on) - day;
  if (spare < 0)
    return json_pack("{s:s,s:s,s:o}", "class", "late", "sign", "\xe2\x96\xb2", "text",
                     json_sprintf("%lld day%s too late", (long long)-spare, plural(-spare)));
  return json_pack("{s:s,s:s,s:o}", "class", "good", "sign", "\xe2\x9c\x93", "text",
                   spare == 0
                       ? json_string("on the day")
                       : json_sprintf("%lld day%s to spare", (long long)spare, plural(spare)));
}

json_t *offer_against(const json_t *answer, const json_t *wanted_on, int64_t today)
{
  json_t *shops = shops_of(answer);
  const char *shop = json_string_value(json_array_get(shops, 0));
  int64_t day = today;
  json_t *lines = shop != NULL ? offer_lines(answer, shop, &day) : NULL;
  json_t *words = lines != NULL ? offer_day_against(day, wanted_on) : json_null();
  json_t *text = json_is_object(words) ? json_incref(json_object_get(words, "text")) : json_null();
  json_decref(words);
  json_decref(lines);
  json_decref(shops);
  return text;
}

static json_t *quantities(const json_t *lines)
{
  struct tm_buf text = TM_BUF_INIT(4096);
  size_t i;
  const json_t *line;
  json_array_foreach(lines, i, line)
  {
    const json_t *at = json_object_get(line, "at");
    tm_buf_printf(&text, "%s%lld", i > 0 ? " + " : "",
                  (long long)json_integer_value(json_object_get(at, "quantity")));
  }
  json_t *out = json_string(text.len > 0 ? text.ptr : "");
  tm_buf_release(&text);
  return out;
}

static json_t *in_days(int64_t day, int64_t today)
{
  int64_t n = day - today;
  if (n == 0)
    return json_string("today");
  return n > 0 ? json_sprintf("in %lld day%s", (long long)n, plural(n))
               : json_sprintf("%lld day%s ago", (long long)-n, plural(-n));
}

/* "1 on 2026-11-24, 2 on 2027-01-13", with its product where there are several lines; null where
 * each line is there on one day. */
static json_t *parts_text(const json_t *lines)
{
  struct tm_buf text = TM_BUF_INIT(8192);
  size_t i, j;
  const json_t *line, *part;
  json_array_foreach(lines, i, line)
  {
    json_array_foreach(json_object_get(json_object_get(line, "at"), "parts"), j, part)
    {
      if (text.len > 0)
        tm_buf_puts(&text, j > 0 ? ", " : "; ");
      if (j == 0 && json_array_size(lines) > 1)
        tm_buf_printf(&text, "%s: ", tm_json_get_string(line, "sku"));
      tm_buf_printf(&text, "%lld on %s",
                    (long long)json_integer_value(json_object_get(part, "quantity")),
                    tm_json_get_string(part, "on"));
    }
  }
  json_t *out = text.len > 0 ? json_string(text.ptr) : json_null();
  tm_buf_release(&text);
  return out;
}

/* In time, or else the soonest. */
static void choose(json_t *rows, const json_t *wanted_on)
{
  json_t *best = json_array_get(rows, 0), *row;
  size_t i;
  json_array_foreach(rows, i, row)
  {
    json_int_t on = json_integer_value(json_object_get(row, "on"));
    json_int_t best_on = json_integer_value(json_object_get(best, "on"));
    bool best_fits = json_is_integer(wanted_on) && best_on <= json_integer_value(wanted_on);
    if (!best_fits && on < best_on)
      best = row;
  }
  if (best != NULL)
    json_object_set_new(best, "chosen", json_true());
}

json_t *offer_shops(const json_t *answer, const json_t *from, const char *wished,
                    const json_t *wanted_on, const json_t *names, int64_t today)
{
  json_t *rows = json_array(), *shops = shops_of(answer), *one;
  int64_t first = 0;
  size_t i;
  json_array_foreach(shops, i, one)
  {
    const char *shop = json_string_value(one);
    const char *name = tm_json_get_string(names, shop), *where = tm_json_get_string(from, shop);
    int64_t day = 0;
    json_t *lines = offer_lines(answer, shop, &day);
    const char *remark = wished != NULL && strcmp(wished, shop) == 0 ? "as wished"
                         : i == 0                                    ? "the first that has it"
                         : day < first                               ? "sooner"
                                                                     : "another shop";
    if (i == 0)
      first = day;
    json_array_append_new(rows, json_pack("{s:s,s:s,s:s,s:I,s:o,s:o,s:o,s:o,s:s?,s:b,s:i}", "shop",
                                          shop, "name", name != NULL ? name : shop, "remark",
                                          remark, "on", (json_int_t)day, "in", in_days(day, today),
                                          "against", offer_day_against(day, wanted_on), "quantity",
                                          quantities(lines), "parts", parts_text(lines), "from",
                                          where, "chosen", 0, "n", (int)i));
    json_decref(lines);
  }
  choose(rows, wanted_on);
  json_decref(shops);
  return rows;
}
