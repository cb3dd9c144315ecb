/* SPDX-License-Identifier: MIT */
#ifndef TM_CATALOGUE_H
#define TM_CATALOGUE_H

#include "common/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the vendor sells, as one JSON file (contrib/schema/catalogue.schema.json): models,
 * expansions, cache modules, software releases, supplies and services, with prices, lead times and
 * what fits what. A catalogue that was loaded is whole and consistent: every SKU that is named
 * exists, prices have one currency, nothing replaces itself.
 */
#define CATALOGUE_SCHEMA    "tidemark.catalogue/1"
#define CATALOGUE_MAX_BYTES ((size_t)16 << 20)
#define CATALOGUE_MAX_ITEMS 20000

enum catalogue_type {
  CATALOGUE_MODEL,
  CATALOGUE_EXPANSION,
  CATALOGUE_CACHE,
  CATALOGUE_SOFTWARE,
  CATALOGUE_SUPPLY,
  CATALOGUE_SERVICE
};

/* One thing that can be ordered. Numbers that do not apply or are not known are NAN, times
 * INT64_MIN, strings and lists NULL. All pointers are borrowed from the catalogue. */
struct catalogue_item {
  enum catalogue_type type;
  const char *sku;
  const char *name;
  int64_t price; /* of one piece, in 1/10000 of the currency */
  double lead_time_days;
  const struct catalogue_item *replaced_by; /* no longer sold: order this instead */

  /* models */
  const char *kind;      /* disk_array, media_library, printer, computer, network */
  const char *vendor;    /* NULL: not compared */
  double capacity_bytes; /* as delivered */
  double max_capacity_bytes;
  double slots; /* media libraries: as delivered, and with everything that fits */
  double max_slots;
  double bays;        /* for expansions and caches that take some */
  double cache_bytes; /* as delivered */
  double max_cache_bytes;
  double rated_transfers_per_s;
  double bits_per_s;           /* links, one direction */
  double rated_load;           /* computers: the load average that they carry */
  double pages_per_minute;     /* printers */
  double duty_pages_per_month; /* printers */
  int64_t end_of_service_on;

  /* expansions and cache modules; a device takes max_quantity of the SKU, in steps */
  double adds_bytes; /* 0: none */
  double adds_slots; /* 0: none */
  double adds_transfers_per_s;
  double max_quantity;
  double quantity_step;
  double uses_bays;

  /* software releases: which software, which version */
  const char *software;
  const char *version;
  int64_t released_on;

  /* supplies and services */
  double yield_pages;
  const char *counts; /* which pages use it up: "total" (or NULL) or "color" */
  double every_pages;
  double every_days;

  const json_t *matches;     /* models, supplies: names under which devices report them */
  const json_t *fits;        /* SKUs of models */
  const json_t *upgrades_to; /* SKUs of models that may take the place of this one */
  const struct catalogue_item **options; /* models: what fits, in the file's order */
  size_t n_options;
};

struct catalogue {
  json_t *document;
  struct catalogue_item *items; /* in the file's order */
  size_t n;
  char currency[4];
  int decimals; /* of the prices, as many as the file writes: 0..4 */
  double sales_cycle_days;
  int64_t issued_on;
  struct sku_index *index;
};

/* 0, or -EBADMSG with "FILE:LINE: what", or what reading the file gives. catalogue_release() makes
 * it empty again; harmless twice and on {0}. */
int catalogue_load(struct catalogue *c, const char *path, struct tm_error *err);
int catalogue_parse(struct catalogue *c, const char *data, size_t len, const char *name,
                    struct tm_error *err);
void catalogue_release(struct catalogue *c);

/* The item of this SKU, or NULL. */
const struct catalogue_item *catalogue_find(const struct catalogue *c, const char *sku);
/* What is sold today in its place: the end of the replaced_by chain, itself when it has none. */
const struct catalogue_item *catalogue_current(const struct catalogue_item *item);
/* The model of a summary's product: by product number, else by model name (SKU, name or one of
 * 'matches'; case and runs of blanks do not count), of the same kind; NULL when it is not ours. */
const struct catalogue_item *catalogue_model_of(const struct catalogue *c, const json_t *product);

/* {"amount":"2430000","currency":"JPY"} for a price in 1/10000. A new reference. */
json_t *catalogue_price_json(const struct catalogue *c, int64_t price);
/* "JPY 2,430,000" for people. Returns out. */
char *catalogue_price_text(char *out, size_t size, const struct catalogue *c, int64_t price);

/* True when the names are the same but for case and runs of blanks. */
bool catalogue_same_name(const char *a, const char *b);

#endif
