/* SPDX-License-Identifier: MIT */
#ifndef TM_PROMETHEUS_NAME_H
#define TM_PROMETHEUS_NAME_H

#include "analyzer/source/rrd_recipe.h"
#include "common/buf.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * collectd's names as its plugin write_prometheus gives them (tried with 5.12.0), against its
 * folders and files: the metric is collectd_PLUGIN_TYPE, or collectd_TYPE where both are the same,
 * with _DS where the type has several data sources, and _total for counters. The plugin's instance
 * is the label of the plugin's name, the type's instance the label "type"; without an instance of
 * the plugin, the type's takes its label. The label "instance" is the host, which Prometheus calls
 * "exported_instance" where the scrape does not say honor_labels.
 */
#define PROM_NAME_SIZE 96

/* The metric of this role's data source (NULL: the only one). Returns out. */
char *prom_metric(char out[PROM_NAME_SIZE], const struct rrd_recipe *recipe,
                  const struct rrd_role *role, const char *ds);
/* True for metrics that only ever rise. */
bool prom_is_counter(const struct rrd_role *role);
/* The type's instance in the role's file: "used" of "capacity-used", "*" of "capacity-*"; NULL
 * without one. */
const char *prom_type_instance(const struct rrd_role *role);

/* An expression for the labels of every metric that is read: "collectd_a|collectd_b". 0 or -ENOMEM.
 */
int prom_all_metrics(struct tm_buf *b);

/* Which device a series belongs to, by its labels. */
struct prom_owner {
  const char *host;     /* borrowed from the labels */
  const char *instance; /* of the plugin; "" without one */
  const struct rrd_recipe *recipe;
  bool exported; /* the host stands in exported_instance */
};
/* False: to none that is read. */
bool prom_owner(struct prom_owner *o, const json_t *labels);

/* Appends text as it stands between double quotes in a query; as_regex: and matches itself alone.
 * 0, -ENOMEM or -EFBIG. */
int prom_quote(struct tm_buf *b, const char *text, bool as_regex);

#endif
