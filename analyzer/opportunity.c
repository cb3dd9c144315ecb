/* SPDX-License-Identifier: MIT */
#include "analyzer/opportunity.h"

#include "common/json.h"
#include "common/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Copies what is there: a member that was not agreed to stays absent. */
static void copy(json_t *to, const json_t *from, const char *key)
{
  json_t *v = json_object_get(from, key);
  if (v != NULL)
    json_object_set(to, key, v);
}

json_t *opportunity_of(const json_t *summary, const json_t *recommendation)
{
  static const char *const customer_keys[] = {"id", "name", "site", "host", NULL};
  static const char *const product_keys[] = {"device",         "kind",   "vendor",  "model",
                                             "product_number", "serial", "sold_on", NULL};
  json_t *o = json_object();
  json_t *customer = json_object();
  json_t *product = json_object();
  json_object_set_new(o, "schema", json_string("tidemark.opportunity/1"));
  copy(o, recommendation, "key");
  copy(o, summary, "generated_at");
  for (size_t i = 0; customer_keys[i] != NULL; i++)
    copy(customer, json_object_get(summary, "customer"), customer_keys[i]);
  for (size_t i = 0; product_keys[i] != NULL; i++)
    copy(product, json_object_get(summary, "product"), product_keys[i]);
  json_object_set_new(o, "customer", customer);
  json_object_set_new(o, "product", product);
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)recommendation, key, value) if (strcmp(key, "key") != 0)
      json_object_set(o, key, value);
  return o;
}

static double amount_of(const json_t *o)
{
  double amount = 0;
  const char *text = tm_json_get_string(json_object_get(o, "price"), "amount");
  return text != NULL && tm_parse_double(text, &amount) == 0 ? amount : 0;
}

static int compare_text(const json_t *a, const json_t *b, const char *key)
{
  const char *x = tm_json_get_string(a, key);
  const char *y = tm_json_get_string(b, key);
  return strcmp(x != NULL ? x : "", y != NULL ? y : "");
}

static int compare(const void *a, const void *b)
{
  const json_t *x = *(json_t *const *)a;
  const json_t *y = *(json_t *const *)b;
  int order = compare_text(x, y, "order_by");
  if (order != 0)
    return order;
  double dx = amount_of(x);
  double dy = amount_of(y);
  if (dx != dy)
    return dx > dy ? -1 : 1;
  return compare_text(x, y, "key");
}

int opportunity_sort(json_t *list)
{
  size_t n = json_array_size(list);
  json_t **sorted = calloc(n > 0 ? n : 1, sizeof(json_t *));
  if (sorted == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < n; i++)
    sorted[i] = json_incref(json_array_get(list, i));
  qsort(sorted, n, sizeof(*sorted), compare);
  json_array_clear(list);
  for (size_t i = 0; i < n; i++)
    json_array_append_new(list, sorted[i]);
  free(sorted);
  return 0;
}
