/* SPDX-License-Identifier: MIT */
#include "analyzer/demand.h"

#include "analyzer/outlook.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/room.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* gcc's analyzer loses sight of the table that the first HASH_ADD allocates. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

enum { MOST_EXACT_PIECES = 1024 };
#define MOST_QUANTITY 1e6
/* Less than this is the tail of a curve and no need: one in a thousand. */
#define LEAST_CHANCE 0.001
#define WEEK_S       (7 * (int64_t)TM_DAY)

/* One device's share in one cell. */
struct part {
  const char *sku, *shop, *customer; /* names of d->names; shop may be NULL */
  unsigned week;
  unsigned quantity;
  double p;
};

struct name {
  UT_hash_handle hh;
  char text[];
};

struct demand {
  struct demand_settings settings;
  int64_t monday; /* of the first week, UTC */
  struct name *names;
  struct part *parts;
  size_t n, cap;
  size_t summaries;
};

static int64_t monday_of(int64_t t)
{
  int64_t day = t / TM_DAY - (t % TM_DAY < 0);
  int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
  return (day - weekday) * TM_DAY;
}

struct demand *demand_new(const struct demand_settings *settings)
{
  struct demand *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return NULL;
  d->settings = *settings;
  d->monday = monday_of(settings->now);
  return d;
}

void demand_free(struct demand *d)
{
  if (d == NULL)
    return;
  TM_HASH_FREE(d->names);
  free(d->parts);
  free(d);
}

/* One copy of each name, so that equal names are equal pointers. NULL when memory is out. */
static const char *intern(struct demand *d, const char *text)
{
  struct name *name = NULL;
  HASH_FIND_STR(d->names, text, name);
  if (name != NULL)
    return name->text;
  size_t len = strlen(text);
  name = calloc(1, sizeof(*name) + len + 1);
  if (name == NULL)
    return NULL;
  memcpy(name->text, text, len + 1);
  HASH_ADD_KEYPTR(hh, d->names, name->text, len, name);
  if (TM_HASH_MISSED(name)) {
    free(name);
    return NULL;
  }
  return name->text;
}

static int add_part(struct demand *d, const struct part *p)
{
  if (TM_ROOM(d->parts, d->cap, d->n) < 0)
    return -ENOMEM;
  d->parts[d->n++] = *p;
  return 0;
}

/* When it is needed: as the recommendation says, else as the device fills up, else on the latest
 * day to order, which is the only one known. */
static void when_of(const json_t *summary, const json_t *r, int64_t now, struct outlook *when)
{
  int64_t made = now;
  int64_t at;
  const char *text = tm_json_get_string(summary, "generated_at");
  const char *action = tm_json_get_string(r, "action");
  const char *order_by = tm_json_get_string(r, "order_by");
  if (text != NULL)
    tm_time_parse(text, &made);
  when->n = 0;
  if (json_object_get(r, "fill") != NULL)
    outlook_read(when, json_object_get(r, "fill"), made);
  else if (action == NULL || strcmp(action, "grow") == 0)
    outlook_read(when, json_object_get(json_object_get(summary, "forecast"), "fill"), made);
  if (when->n == 0 && order_by != NULL && tm_time_parse(order_by, &at) == 0) {
    double p = tm_json_get_number(r, "confidence");
    outlook_at(when, at);
    when->node[0].p = p >= 0 && p <= 1 ? p : 1;
  }
}

static int add_line(struct demand *d, const struct outlook *when, const char *shop,
                    const char *customer, const char *sku, double quantity)
{
  struct part p = {.sku = intern(d, sku),
                   .shop = shop != NULL ? intern(d, shop) : NULL,
                   .customer = intern(d, customer),
                   .quantity = (unsigned)quantity};
  if (p.sku == NULL || p.customer == NULL || (shop != NULL && p.shop == NULL))
    return -ENOMEM;
  double before = 0;
  for (p.week = 0; p.week < d->settings.weeks; p.week++) {
    double by = outlook_probability(when, d->monday + (int64_t)(p.week + 1) * WEEK_S - 1);
    p.p = by - before;
    if (!(p.p >= LEAST_CHANCE))
      continue;
    before = by;
    int rc = add_part(d, &p);
    if (rc < 0)
      return rc;
  }
  return 0;
}

static int check_line(const json_t *line, const char **sku, double *quantity)
{
  *sku = tm_json_get_string(line, "sku");
  *quantity = tm_json_get_number(line, "quantity");
  return *sku != NULL && *quantity >= 0 && *quantity <= MOST_QUANTITY &&
                 *quantity == floor(*quantity)
             ? 0
             : -EBADMSG;
}

int demand_check(const json_t *summary, struct tm_error *err)
{
  const json_t *list = json_object_get(summary, "recommendations");
  const char *sku;
  double quantity;
  if (list != NULL && !json_is_null(list) && !json_is_array(list))
    return tm_fail(err, -EBADMSG, "\"recommendations\" is not a list");
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *lines = json_object_get(json_array_get(list, i), "lines");
    for (size_t k = 0; k < json_array_size(lines); k++)
      if (check_line(json_array_get(lines, k), &sku, &quantity) < 0)
        return tm_fail(err, -EBADMSG, "line %zu of recommendation %zu has no SKU or no quantity",
                       k + 1, i + 1);
  }
  return 0;
}

int demand_add(struct demand *d, const json_t *summary, struct tm_error *err)
{
  const json_t *list = json_object_get(summary, "recommendations");
  const char *customer = tm_json_get_string(json_object_get(summary, "customer"), "id");
  const char *shop = shops_of(d->settings.shops, summary);
  int rc = demand_check(summary, err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *r = json_array_get(list, i);
    const json_t *lines = json_object_get(r, "lines");
    struct outlook when;
    when_of(summary, r, d->settings.now, &when);
    for (size_t k = 0; k < json_array_size(lines); k++) {
      const char *sku;
      double quantity;
      check_line(json_array_get(lines, k), &sku, &quantity);
      if (quantity > 0 && when.n > 0 &&
          add_line(d, &when, shop, customer != NULL ? customer : "-", sku, quantity) < 0)
        return tm_fail(err, -ENOMEM, "out of memory");
    }
  }
  d->summaries++;
  return 0;
}

static unsigned long quantile(const double *chance, size_t most, double q)
{
  double sum = 0;
  for (size_t k = 0; k <= most; k++) {
    sum += chance[k];
    if (sum >= q - 1e-12)
      return k;
  }
  return most;
}

static unsigned long around(double mean, double spread, double z)
{
  double k = round(mean + z * spread);
  return k > 0 ? (unsigned long)k : 0;
}

int demand_range_of(const unsigned *quantity, const double *p, size_t n, struct demand_range *out)
{
  double mean = 0;
  double variance = 0;
  double most = 0;
  for (size_t i = 0; i < n; i++) {
    mean += quantity[i] * p[i];
    variance += (double)quantity[i] * quantity[i] * p[i] * (1 - p[i]);
    most += quantity[i];
  }
  out->expected = mean;
  if (most > MOST_EXACT_PIECES) {
    double spread = sqrt(variance);
    out->low = around(mean, spread, -1.2816);
    out->middle = around(mean, spread, 0);
    out->high = around(mean, spread, 1.2816);
    return 0;
  }
  double *chance = calloc((size_t)most + 1, sizeof(*chance));
  if (chance == NULL)
    return -ENOMEM;
  size_t reached = 0;
  chance[0] = 1;
  for (size_t i = 0; i < n; i++) {
    for (size_t k = reached + quantity[i] + 1; k-- > 0;) {
      double came = k >= quantity[i] ? chance[k - quantity[i]] * p[i] : 0;
      chance[k] = (k <= reached ? chance[k] * (1 - p[i]) : 0) + came;
    }
    reached += quantity[i];
  }
  out->low = quantile(chance, reached, 0.1);
  out->middle = quantile(chance, reached, 0.5);
  out->high = quantile(chance, reached, 0.9);
  free(chance);
  return 0;
}

static int compare_names(const char *a, const char *b)
{
  if (a == b)
    return 0;
  if (a == NULL || b == NULL)
    return a == NULL ? 1 : -1;
  return strcmp(a, b);
}

static int compare_cells(const struct part *x, const struct part *y)
{
  int order = compare_names(x->sku, y->sku);
  if (order == 0)
    order = compare_names(x->shop, y->shop);
  return order != 0 ? order : (x->week > y->week) - (x->week < y->week);
}

/* A total order, so that the sums are added up in the same order whatever came first. */
static int compare_parts(const void *a, const void *b)
{
  const struct part *x = a;
  const struct part *y = b;
  int order = compare_cells(x, y);
  if (order == 0)
    order = compare_names(x->customer, y->customer);
  if (order == 0)
    order = (x->p > y->p) - (x->p < y->p);
  return order != 0 ? order : (x->quantity > y->quantity) - (x->quantity < y->quantity);
}

static json_t *customers_json(const struct part *parts, size_t n, size_t *count)
{
  json_t *list = json_array();
  *count = 0;
  for (size_t i = 0; i < n; i++) {
    if (i > 0 && parts[i].customer == parts[i - 1].customer)
      continue;
    (*count)++;
    json_array_append_new(list, json_string(parts[i].customer));
  }
  return list;
}

static json_t *cell_json(const struct demand *d, const struct part *parts, size_t n)
{
  unsigned *quantity = calloc(n, sizeof(*quantity));
  double *p = calloc(n, sizeof(*p));
  struct demand_range range;
  char week[16], monday[16], time[TM_TIME_SIZE];
  int64_t start = d->monday + (int64_t)parts[0].week * WEEK_S;
  time_t t = (time_t)start;
  struct tm tm;
  size_t count;
  json_t *line = NULL;
  for (size_t i = 0; quantity != NULL && p != NULL && i < n; i++) {
    quantity[i] = parts[i].quantity;
    p[i] = parts[i].p;
  }
  if (quantity == NULL || p == NULL || demand_range_of(quantity, p, n, &range) < 0)
    goto out;
  json_t *customers = customers_json(parts, n, &count);
  gmtime_r(&t, &tm);
  strftime(week, sizeof(week), "%G-W%V", &tm);
  snprintf(monday, sizeof(monday), "%.10s", tm_time_format(time, start));
  line =
      json_pack("{s:s, s:s?, s:s, s:s, s:I, s:I, s:I, s:o, s:I}", "sku", parts[0].sku, "shop",
                parts[0].shop, "week", week, "week_start", monday, "low", (json_int_t)range.low,
                "middle", (json_int_t)range.middle, "high", (json_int_t)range.high, "expected",
                tm_json_number(round(range.expected * 1e3) / 1e3), "customers", (json_int_t)count);
  if (d->settings.customers)
    json_object_set(line, "customer_ids", customers);
  json_decref(customers);
out:
  free(quantity);
  free(p);
  return line;
}

json_t *demand_json(struct demand *d)
{
  char from[16], time[TM_TIME_SIZE];
  json_t *lines = json_array();
  if (d->n > 0)
    qsort(d->parts, d->n, sizeof(*d->parts), compare_parts);
  for (size_t i = 0; i < d->n;) {
    size_t end = i + 1;
    while (end < d->n && compare_cells(&d->parts[i], &d->parts[end]) == 0)
      end++;
    if (json_array_append_new(lines, cell_json(d, &d->parts[i], end - i)) < 0) {
      json_decref(lines);
      return NULL;
    }
    i = end;
  }
  snprintf(from, sizeof(from), "%.10s", tm_time_format(time, d->monday));
  return json_pack("{s:s, s:o, s:s, s:i, s:I, s:o}", "schema", "tidemark.demand/1", "generated_at",
                   tm_json_time(d->settings.now), "from", from, "weeks", (int)d->settings.weeks,
                   "summaries", (json_int_t)d->summaries, "lines", lines);
}
