/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/reply.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"

#include <errno.h>
#include <stdlib.h>

void reply_init(struct reply *r, int64_t today)
{
  *r = (struct reply){.today = today, .lines = json_array(), .from = json_object()};
}

void reply_release(struct reply *r)
{
  json_decref(r->lines);
  json_decref(r->from);
  *r = (struct reply){0};
}

static const char *days_word(int64_t days)
{
  return days == 1 ? "day" : "days";
}

static void say_road(struct tm_buf *text, const char *before, int64_t days)
{
  if (days > 0)
    tm_buf_printf(text, "%stransfer, %lld %s", before, (long long)days, days_word(days));
}

/* "stock: 5 free there", or what is brought from where, and what the supplier brings. */
static void say_parts(struct tm_buf *text, const struct handover_goods *g, size_t shop,
                      const struct handover_part *parts, size_t n)
{
  if (n == 1 && parts[0].from == shop && !parts[0].coming) {
    tm_buf_printf(text, "stock: %llu free there", (unsigned long long)g->shops[shop].stock);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    const struct handover_part *p = &parts[i];
    int64_t road = handover_road(g, p->from, shop), supply = g->shops[p->from].supply_days;
    if (i > 0)
      tm_buf_puts(text, ", ");
    if (!p->coming && p->from == shop)
      tm_buf_printf(text, "%llu there", (unsigned long long)p->pieces);
    else if (!p->coming)
      tm_buf_printf(text, "%llu from %s, transfer %lld %s", (unsigned long long)p->pieces,
                    g->shops[p->from].name, (long long)road, days_word(road));
    if (!p->coming)
      continue;
    if (n > 1)
      tm_buf_printf(text, "%llu from the ", (unsigned long long)p->pieces);
    tm_buf_printf(text, "supplier, %lld %s", (long long)supply, days_word(supply));
    say_road(text, ", and ", road);
  }
}

/* "stock: 5 free there", "1 there, 3 from FAC, transfer 5 days", "supplier, 49 days, and transfer,
 * 5 days", "1 there, 2 from the supplier, 49 days". New reference. */
static json_t *text_from(const struct handover_goods *g, size_t shop, uint64_t pieces)
{
  struct tm_buf text = TM_BUF_INIT(1 << 16);
  struct handover_part *parts = calloc(g->shops_len + 1, sizeof(*parts));
  size_t n = parts != NULL ? handover_plan(parts, g, shop, pieces) : 0;
  say_parts(&text, g, shop, parts, n);
  free(parts);
  json_t *out = json_string(text.len > 0 ? text.ptr : "");
  tm_buf_release(&text);
  return out;
}

/* Of several lines each says which it is. */
static void add_from(struct reply *r, const char *sku, const struct handover_goods *g, size_t shop,
                     uint64_t pieces)
{
  const char *name = g->shops[shop].name;
  json_t *text = text_from(g, shop, pieces);
  const char *before = tm_json_get_string(r->from, name);
  json_t *whole = before != NULL ? json_sprintf("%s; %s: %s", before, sku, json_string_value(text))
                  : json_array_size(r->lines) > 0
                      ? json_sprintf("%s: %s", sku, json_string_value(text))
                      : json_incref(text);
  json_object_set_new(r->from, name, whole);
  json_decref(text);
}

int reply_add(struct reply *r, const char *sku, uint64_t pieces, const struct handover_goods *g,
              size_t wished, struct tm_error *err)
{
  struct handover h;
  handover_find(&h, g, wished, pieces);
  if (h.days == HANDOVER_NEVER)
    return tm_fail(err, -EBADMSG,
                   "%s: not in stock, and no lead time says when it would be: nobody can promise "
                   "it",
                   sku);
  if (h.days > r->latest)
    r->latest = h.days;
  add_from(r, sku, g, h.shop, pieces);
  if (h.is_sooner)
    add_from(r, sku, g, h.sooner_shop, pieces);
  json_array_append_new(r->lines, handover_line(sku, pieces, g, wished, &h, r->today));
  return 0;
}

int reply_take(struct reply *r, const char *inquiry, const char *by, int64_t now, json_t **answer,
               json_t **from, struct tm_error *err)
{
  char date[TM_DATE_SIZE];
  json_t *document =
      json_pack("{s:s,s:s,s:o,s:s,s:O,s:s}", "schema", "tidemark.answer/1", "inquiry", inquiry,
                "answered_at", tm_json_time(now), "by", by, "lines", r->lines, "complete_on",
                tm_date_format_days(date, r->today + r->latest));
  if (document == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  *answer = document;
  *from = json_incref(r->from);
  return 0;
}
