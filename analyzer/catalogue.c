/* SPDX-License-Identifier: MIT */
#include "analyzer/catalogue.h"

#include "analyzer/price.h"
#include "analyzer/version_order.h"
#include "common/hash.h"
#include "common/json_check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sku_index {
  const char *sku; /* the key, borrowed from the item */
  struct catalogue_item *item;
  const json_t *object; /* where it stands in the file, for messages */
  UT_hash_handle hh;
};

/* One member of an item: its name, what it is and where it goes. */
enum field_kind { FIELD_TEXT, FIELD_NUMBER, FIELD_DATE, FIELD_LIST, FIELD_OTHER };

struct field {
  const char *key;
  enum field_kind kind;
  bool required;
  size_t offset;
  double min, max;
};

#define AT(member) offsetof(struct catalogue_item, member)
#define BYTES_MAX  1e21
#define RATE_MAX   1e15

#define COMMON_FIELDS                                                                              \
  {"sku", FIELD_TEXT, true, AT(sku), 0, 0}, {"name", FIELD_TEXT, true, AT(name), 0, 0},            \
      {"price", FIELD_OTHER, true, 0, 0, 0},                                                       \
      {"lead_time_days", FIELD_NUMBER, true, AT(lead_time_days), 0, 730},                          \
      {"image", FIELD_OTHER, false, 0, 0, 0},                                                      \
  {                                                                                                \
    "replaced_by", FIELD_OTHER, false, 0, 0, 0                                                     \
  }
#define FITS_FIELD                                                                                 \
  {                                                                                                \
    "fits", FIELD_LIST, true, AT(fits), 0, 0                                                       \
  }

static const struct field model_fields[] = {
    COMMON_FIELDS,
    {"kind", FIELD_TEXT, true, AT(kind), 0, 0},
    {"vendor", FIELD_TEXT, false, AT(vendor), 0, 0},
    {"matches", FIELD_LIST, false, AT(matches), 0, 0},
    {"capacity_bytes", FIELD_NUMBER, false, AT(capacity_bytes), 0, BYTES_MAX},
    {"max_capacity_bytes", FIELD_NUMBER, false, AT(max_capacity_bytes), 0, BYTES_MAX},
    {"slots", FIELD_NUMBER, false, AT(slots), 0, 1e9},
    {"max_slots", FIELD_NUMBER, false, AT(max_slots), 0, 1e9},
    {"bays", FIELD_NUMBER, false, AT(bays), 0, 10000},
    {"cache_bytes", FIELD_NUMBER, false, AT(cache_bytes), 0, BYTES_MAX},
    {"max_cache_bytes", FIELD_NUMBER, false, AT(max_cache_bytes), 0, BYTES_MAX},
    {"rated_transfers_per_s", FIELD_NUMBER, false, AT(rated_transfers_per_s), 0, RATE_MAX},
    {"bits_per_s", FIELD_NUMBER, false, AT(bits_per_s), 0, RATE_MAX},
    {"rated_load", FIELD_NUMBER, false, AT(rated_load), 0, 1e6},
    {"pages_per_minute", FIELD_NUMBER, false, AT(pages_per_minute), 0, 1e5},
    {"duty_pages_per_month", FIELD_NUMBER, false, AT(duty_pages_per_month), 1, 1e9},
    {"upgrades_to", FIELD_LIST, false, AT(upgrades_to), 0, 0},
    {"end_of_service_on", FIELD_DATE, false, AT(end_of_service_on), 0, 0},
    {0}};

static const struct field expansion_fields[] = {
    COMMON_FIELDS,
    FITS_FIELD,
    {"adds_bytes", FIELD_NUMBER, false, AT(adds_bytes), 1, BYTES_MAX},
    {"adds_slots", FIELD_NUMBER, false, AT(adds_slots), 1, 1e6},
    {"adds_transfers_per_s", FIELD_NUMBER, false, AT(adds_transfers_per_s), 0, RATE_MAX},
    {"max_quantity", FIELD_NUMBER, true, AT(max_quantity), 1, 1000},
    {"quantity_step", FIELD_NUMBER, false, AT(quantity_step), 1, 1000},
    {"uses_bays", FIELD_NUMBER, false, AT(uses_bays), 0, 1000},
    {0}};

static const struct field software_fields[] = {
    COMMON_FIELDS,
    FITS_FIELD,
    {"software", FIELD_TEXT, true, AT(software), 0, 0},
    {"version", FIELD_TEXT, true, AT(version), 0, 0},
    {"released_on", FIELD_DATE, true, AT(released_on), 0, 0},
    {0}};

static const struct field supply_fields[] = {
    COMMON_FIELDS,
    FITS_FIELD,
    {"matches", FIELD_LIST, true, AT(matches), 0, 0},
    {"yield_pages", FIELD_NUMBER, false, AT(yield_pages), 1, 1e9},
    {"counts", FIELD_TEXT, false, AT(counts), 0, 0},
    {0}};

static const struct field service_fields[] = {
    COMMON_FIELDS,
    FITS_FIELD,
    {"every_pages", FIELD_NUMBER, false, AT(every_pages), 1, 1e9},
    {"every_days", FIELD_NUMBER, false, AT(every_days), 1, 36500},
    {0}};

static const struct section {
  const char *key;
  enum catalogue_type type;
  const struct field *fields;
} sections[] = {
    {"models", CATALOGUE_MODEL, model_fields},
    {"expansions", CATALOGUE_EXPANSION, expansion_fields},
    {"cache_modules", CATALOGUE_CACHE, expansion_fields},
    {"software", CATALOGUE_SOFTWARE, software_fields},
    {"supplies", CATALOGUE_SUPPLY, supply_fields},
    {"services", CATALOGUE_SERVICE, service_fields},
};
enum { N_SECTIONS = sizeof(sections) / sizeof(sections[0]), MAX_FIELDS = 32, MAX_LIST = 1000 };

static const char *const kinds[] = {"disk_array", "media_library", "printer",
                                    "computer",   "network",       NULL};

static int read_price(struct catalogue *c, const struct tm_json_file *f, const json_t *object,
                      struct catalogue_item *item, struct tm_error *err)
{
  struct price price;
  int rc = price_want(f, object, "price", &price, err);
  if (rc < 0)
    return rc;
  if (c->currency[0] != '\0' && strcmp(c->currency, price.currency) != 0)
    return tm_json_refuse(f, json_object_get(object, "price"), "currency", err,
                          "currency %s; the prices before it are in %s, and one catalogue has one "
                          "currency",
                          price.currency, c->currency);
  memcpy(c->currency, price.currency, sizeof(c->currency));
  if (price.decimals > c->decimals)
    c->decimals = price.decimals;
  item->price = price.amount;
  return 0;
}

static int read_field(const struct tm_json_file *f, const json_t *object, const struct field *field,
                      struct catalogue_item *item, struct tm_error *err)
{
  void *at = (char *)item + field->offset;
  switch (field->kind) {
  case FIELD_TEXT:
    return tm_json_want_string(f, object, field->key, field->required, 200, at, err);
  case FIELD_NUMBER:
    return tm_json_want_number(f, object, field->key, field->required, field->min, field->max, at,
                               err);
  case FIELD_DATE:
    return tm_json_want_date(f, object, field->key, field->required, at, err);
  case FIELD_LIST:
    return tm_json_want_strings(f, object, field->key, field->required, MAX_LIST, at, err);
  case FIELD_OTHER:
  default:
    return 0;
  }
}

/* Everything unknown, before the members are read. */
static void clear_item(struct catalogue_item *item, const struct section *s)
{
  *item = (struct catalogue_item){.type = s->type, .quantity_step = 1, .uses_bays = 0};
  item->released_on = item->end_of_service_on = INT64_MIN;
  for (const struct field *field = model_fields; field->key != NULL; field++)
    if (field->kind == FIELD_NUMBER)
      *(double *)(void *)((char *)item + field->offset) = NAN;
  item->max_quantity = NAN;
  item->yield_pages = item->every_pages = item->every_days = NAN;
}

/* The desk's pages name it for previews; nothing here looks at it. */
static int check_image(const struct tm_json_file *f, const json_t *object, struct tm_error *err)
{
  const json_t *image = json_object_get(object, "image");
  const char *url = json_string_value(image);
  if (image == NULL)
    return 0;
  if (url == NULL || strncmp(url, "https://", 8) != 0 || strlen(url) > 1000 ||
      strcspn(url, " \t\r\n\"<>") != strlen(url))
    return tm_json_refuse(f, object, "image", err,
                          "\"image\" is no address of a picture: https:// and at most 1000 "
                          "characters without blanks");
  return 0;
}

/* What a single member cannot tell. */
static int check_item(const struct tm_json_file *f, const json_t *object,
                      const struct catalogue_item *item, struct tm_error *err)
{
  if (item->type == CATALOGUE_MODEL) {
    size_t k = 0;
    while (kinds[k] != NULL && strcmp(kinds[k], item->kind) != 0)
      k++;
    if (kinds[k] == NULL)
      return tm_json_refuse(f, object, "kind", err,
                            "\"kind\" is \"%s\", not disk_array, media_library, printer, computer "
                            "or network",
                            item->kind);
    if (item->max_capacity_bytes < item->capacity_bytes)
      return tm_json_refuse(f, object, "max_capacity_bytes", err,
                            "\"max_capacity_bytes\" is below \"capacity_bytes\"");
    if (item->max_slots < item->slots)
      return tm_json_refuse(f, object, "max_slots", err, "\"max_slots\" is below \"slots\"");
    if (item->max_cache_bytes < item->cache_bytes)
      return tm_json_refuse(f, object, "max_cache_bytes", err,
                            "\"max_cache_bytes\" is below \"cache_bytes\"");
  }
  if ((item->type == CATALOGUE_EXPANSION || item->type == CATALOGUE_CACHE) &&
      item->adds_bytes == 0 && item->adds_slots == 0)
    return tm_json_refuse(f, object, NULL, err, "neither \"adds_bytes\" nor \"adds_slots\"");
  if (item->counts != NULL && strcmp(item->counts, "total") != 0 &&
      strcmp(item->counts, "color") != 0)
    return tm_json_refuse(f, object, "counts", err, "\"counts\" is \"%s\", not total or color",
                          item->counts);
  if (item->type == CATALOGUE_SOFTWARE && !version_known(item->version))
    return tm_json_refuse(f, object, "version", err, "\"version\" \"%s\" has no number",
                          item->version);
  if (item->type == CATALOGUE_SERVICE && isnan(item->every_pages) && isnan(item->every_days))
    return tm_json_refuse(f, object, NULL, err, "neither \"every_pages\" nor \"every_days\"");
  if (fmod(item->max_quantity, 1) > 0)
    return tm_json_refuse(f, object, "max_quantity", err, "\"max_quantity\" is not whole");
  if (fmod(item->quantity_step, 1) > 0)
    return tm_json_refuse(f, object, "quantity_step", err, "\"quantity_step\" is not whole");
  return check_image(f, object, err);
}

static int add_to_index(struct catalogue *c, const struct tm_json_file *f, const json_t *object,
                        struct catalogue_item *item, struct tm_error *err)
{
  struct sku_index *entry = NULL;
  HASH_FIND_STR(c->index, item->sku, entry);
  if (entry != NULL)
    return tm_json_refuse(f, object, "sku", err, "SKU \"%s\" stands in line %zu already", item->sku,
                          tm_json_line(f, entry->object, "sku", SIZE_MAX));
  entry = calloc(1, sizeof(*entry));
  if (entry == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", f->name);
  entry->sku = item->sku;
  entry->item = item;
  entry->object = object;
  HASH_ADD_KEYPTR(hh, c->index, entry->sku, strlen(entry->sku), entry);
  if (TM_HASH_MISSED(entry)) {
    free(entry);
    return tm_fail(err, -ENOMEM, "%s: out of memory", f->name);
  }
  return 0;
}

static int read_item(struct catalogue *c, const struct tm_json_file *f, const struct section *s,
                     const json_t *object, struct tm_error *err)
{
  const char *known[MAX_FIELDS] = {NULL};
  for (size_t i = 0; s->fields[i].key != NULL; i++)
    known[i] = s->fields[i].key;
  struct catalogue_item *item = &c->items[c->n];
  clear_item(item, s);
  int rc = tm_json_known_keys(f, object, known, err);
  for (const struct field *field = s->fields; rc == 0 && field->key != NULL; field++)
    rc = read_field(f, object, field, item, err);
  if (rc == 0)
    rc = read_price(c, f, object, item, err);
  if (rc == 0)
    rc = check_item(f, object, item, err);
  if (rc == 0)
    rc = add_to_index(c, f, object, item, err);
  if (rc == 0)
    c->n++;
  return rc;
}

static int read_section(struct catalogue *c, const struct tm_json_file *f, const struct section *s,
                        struct tm_error *err)
{
  const json_t *list = json_object_get(f->root, s->key);
  if (list == NULL)
    return 0;
  if (!json_is_array(list))
    return tm_json_refuse(f, f->root, s->key, err, "\"%s\" is not a list", s->key);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *object = json_array_get(list, i);
    if (!json_is_object(object))
      return tm_json_refuse_at(f, list, i, err, "an entry of \"%s\" is not an object", s->key);
    int rc = read_item(c, f, s, object, err);
    if (rc < 0)
      return rc;
  }
  return 0;
}

/* Every SKU of a list must be a model; each gets the item as an option when it is a 'fits' list. */
static int check_models(struct catalogue *c, const struct tm_json_file *f, const json_t *list,
                        const char *key, struct catalogue_item *option, struct tm_error *err)
{
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *sku = json_string_value(json_array_get(list, i));
    struct sku_index *entry = NULL;
    HASH_FIND_STR(c->index, sku, entry);
    if (entry == NULL || entry->item->type != CATALOGUE_MODEL)
      return tm_json_refuse_at(f, list, i, err,
                               "\"%s\" names \"%s\", which is no model of this "
                               "catalogue",
                               key, sku);
    struct catalogue_item *model = entry->item;
    if (option == NULL)
      continue;
    if (model->n_options > 0 && model->options[model->n_options - 1] == option)
      return tm_json_refuse_at(f, list, i, err, "\"%s\" names \"%s\" twice", key, sku);
    const struct catalogue_item **grown =
        realloc(model->options, (model->n_options + 1) * sizeof(*grown));
    if (grown == NULL)
      return tm_fail(err, -ENOMEM, "%s: out of memory", f->name);
    model->options = grown;
    model->options[model->n_options++] = option;
  }
  return 0;
}

static int link_replacement(struct catalogue *c, const struct tm_json_file *f,
                            const struct sku_index *entry, struct tm_error *err)
{
  const char *sku = NULL;
  int rc = tm_json_want_string(f, entry->object, "replaced_by", false, 200, &sku, err);
  if (rc < 0 || sku == NULL)
    return rc;
  const struct catalogue_item *to = catalogue_find(c, sku);
  if (to == NULL || to->type != entry->item->type)
    return tm_json_refuse(f, entry->object, "replaced_by", err,
                          "\"replaced_by\" names \"%s\", which is no item of the same list", sku);
  entry->item->replaced_by = to;
  return 0;
}

static int link_items(struct catalogue *c, const struct tm_json_file *f, struct tm_error *err)
{
  const struct sku_index *entry;
  int rc = 0;
  for (entry = c->index; rc == 0 && entry != NULL; entry = entry->hh.next) {
    struct catalogue_item *item = entry->item;
    rc = check_models(c, f, item->fits, "fits", item, err);
    if (rc == 0)
      rc = check_models(c, f, item->upgrades_to, "upgrades_to", NULL, err);
    if (rc == 0)
      rc = link_replacement(c, f, entry, err);
  }
  for (entry = c->index; rc == 0 && entry != NULL; entry = entry->hh.next) {
    const struct catalogue_item *to = entry->item;
    for (size_t steps = 0; to->replaced_by != NULL; to = to->replaced_by)
      if (++steps > c->n)
        return tm_json_refuse(f, entry->object, "replaced_by", err,
                              "\"replaced_by\" leads back in a circle");
  }
  return rc;
}

static int read_document(struct catalogue *c, const struct tm_json_file *f, struct tm_error *err)
{
  static const char *const known[] = {
      "schema",        "vendor",   "issued_on", "sales_cycle_days", "models", "expansions",
      "cache_modules", "software", "supplies",  "services",         NULL};
  size_t total = 0;
  const char *vendor = NULL;
  int rc = tm_json_want_schema(f, CATALOGUE_SCHEMA, err);
  if (rc == 0)
    rc = tm_json_known_keys(f, f->root, known, err);
  if (rc == 0)
    rc = tm_json_want_string(f, f->root, "vendor", false, 200, &vendor, err);
  if (rc == 0)
    rc = tm_json_want_date(f, f->root, "issued_on", true, &c->issued_on, err);
  if (rc == 0)
    rc = tm_json_want_number(f, f->root, "sales_cycle_days", true, 0, 730, &c->sales_cycle_days,
                             err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; i < N_SECTIONS; i++)
    total += json_array_size(json_object_get(f->root, sections[i].key));
  if (total > CATALOGUE_MAX_ITEMS)
    return tm_json_refuse(f, f->root, NULL, err, "%zu items; at most %d are read", total,
                          CATALOGUE_MAX_ITEMS);
  c->items = calloc(total > 0 ? total : 1, sizeof(*c->items));
  if (c->items == NULL)
    return tm_fail(err, -ENOMEM, "%s: out of memory", f->name);
  for (size_t i = 0; rc == 0 && i < N_SECTIONS; i++)
    rc = read_section(c, f, &sections[i], err);
  return rc == 0 ? link_items(c, f, err) : rc;
}

/* Takes the tree out of f on success. */
static int build(struct catalogue *c, struct tm_json_file *f, int rc, struct tm_error *err)
{
  struct catalogue made = {0};
  if (rc == 0)
    rc = read_document(&made, f, err);
  if (rc == 0) {
    made.document = f->root;
    f->root = NULL;
    *c = made;
    made = (struct catalogue){0};
  }
  catalogue_release(&made);
  tm_json_file_release(f);
  return rc;
}

int catalogue_load(struct catalogue *c, const char *path, struct tm_error *err)
{
  struct tm_json_file f = {0};
  int rc = tm_json_file_read(&f, path, CATALOGUE_MAX_BYTES, err);
  return build(c, &f, rc, err);
}

int catalogue_parse(struct catalogue *c, const char *data, size_t len, const char *name,
                    struct tm_error *err)
{
  struct tm_json_file f = {0};
  int rc = tm_json_file_parse(&f, data, len, name, err);
  return build(c, &f, rc, err);
}

void catalogue_release(struct catalogue *c)
{
  TM_HASH_FREE(c->index);
  for (size_t i = 0; i < c->n; i++)
    free(c->items[i].options);
  free(c->items);
  json_decref(c->document);
  *c = (struct catalogue){0};
}

const struct catalogue_item *catalogue_find(const struct catalogue *c, const char *sku)
{
  struct sku_index *entry = NULL;
  HASH_FIND_STR(c->index, sku, entry);
  return entry != NULL ? entry->item : NULL;
}

const struct catalogue_item *catalogue_current(const struct catalogue_item *item)
{
  while (item->replaced_by != NULL)
    item = item->replaced_by;
  return item;
}
