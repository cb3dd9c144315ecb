/* SPDX-License-Identifier: MIT */
/* Questions to a catalogue that was loaded. */
#include "analyzer/catalogue.h"

#include "common/json.h"
#include "common/number.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *skip_spaces(const char *s)
{
  while (*s == ' ')
    s++;
  return s;
}

bool catalogue_same_name(const char *a, const char *b)
{
  a = skip_spaces(a);
  b = skip_spaces(b);
  for (;;) {
    const char *after_a = skip_spaces(a);
    const char *after_b = skip_spaces(b);
    if (*after_a == '\0' || *after_b == '\0')
      return *after_a == *after_b;
    if ((after_a > a) != (after_b > b) ||
        tolower((unsigned char)*after_a) != tolower((unsigned char)*after_b))
      return false;
    a = after_a + 1;
    b = after_b + 1;
  }
}

static bool is_model_named(const struct catalogue_item *item, const char *name)
{
  if (catalogue_same_name(item->sku, name) || catalogue_same_name(item->name, name))
    return true;
  for (size_t i = 0; i < json_array_size(item->matches); i++)
    if (catalogue_same_name(json_string_value(json_array_get(item->matches, i)), name))
      return true;
  return false;
}

const struct catalogue_item *catalogue_model_of(const struct catalogue *c, const json_t *product)
{
  const char *kind = tm_json_get_string(product, "kind");
  const char *vendor = tm_json_get_string(product, "vendor");
  const char *const names[] = {tm_json_get_string(product, "product_number"),
                               tm_json_get_string(product, "model")};
  for (size_t n = 0; kind != NULL && n < 2; n++)
    for (size_t i = 0; names[n] != NULL && i < c->n; i++) {
      const struct catalogue_item *item = &c->items[i];
      if (item->type != CATALOGUE_MODEL || strcmp(item->kind, kind) != 0)
        continue;
      if (item->vendor != NULL && vendor != NULL && !catalogue_same_name(item->vendor, vendor))
        continue;
      if (is_model_named(item, names[n]))
        return item;
    }
  return NULL;
}

static void amount_text(char *out, size_t size, const struct catalogue *c, int64_t price)
{
  int64_t whole = price / 10000;
  int64_t rest = price % 10000;
  for (int i = c->decimals; i < 4; i++)
    rest /= 10;
  if (c->decimals > 0)
    snprintf(out, size, "%lld.%0*lld", (long long)whole, c->decimals & 7, (long long)rest);
  else
    snprintf(out, size, "%lld", (long long)whole);
}

json_t *catalogue_price_json(const struct catalogue *c, int64_t price)
{
  char amount[32];
  amount_text(amount, sizeof(amount), c, price);
  return json_pack("{s:s, s:s}", "amount", amount, "currency", c->currency);
}

char *catalogue_price_text(char *out, size_t size, const struct catalogue *c, int64_t price)
{
  char amount[32];
  amount_text(amount, sizeof(amount), c, price);
  char grouped[48];
  tm_format_grouped(grouped, sizeof(grouped), amount);
  snprintf(out, size, "%s %s", c->currency, grouped);
  return out;
}
