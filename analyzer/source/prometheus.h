/* SPDX-License-Identifier: MIT */
#ifndef TM_PROMETHEUS_H
#define TM_PROMETHEUS_H

#include "analyzer/source/fetcher.h"
#include "analyzer/source/history.h"
#include "analyzer/source/prometheus_answer.h"
#include "analyzer/source/rrd_recipe.h"
#include "analyzer/source/source_type.h"
#include "common/buf.h"

/*
 * Histories from a server with the HTTP API of Prometheus (Prometheus, VictoriaMetrics, Mimir), as
 * collectd's write_prometheus names them. prometheus.c finds the devices, prometheus_query.c asks,
 * prometheus_device.c makes the history of one device. Nobody else includes this.
 */
struct prom_device {
  struct source_name name;
  const char *instance; /* within the folder; "" without one */
  const struct rrd_recipe *recipe;
  bool exported; /* the host stands in the label exported_instance */
};

/* What one job asks by and with. */
struct prom_client {
  const char *url; /* for messages */
  struct fetcher *fetcher;
  struct tm_buf form;  /* of the request in hand */
  struct tm_buf query; /* the same before it is encoded */
  struct tm_buf body;
};
#define PROM_FORM_MAX (1U << 20)
#define PROM_BODY_MAX (64U << 20)

int prom_client_init(struct prom_client *c, const char *url,
                     const struct tm_conf_prometheus *access, struct tm_error *err);
void prom_client_release(struct prom_client *c);

/* Asks; what stands in messages. The answer's data, a new reference, or NULL with err. A code of
 * -EBADMSG is the answer's fault, any other one means that there was none. */
json_t *prom_ask(struct prom_client *c, const char *path, const char *form, const char *what,
                 struct tm_error *err);

/* --- queries about one device ----------------------------------------------------------------- */

struct prom_query {
  struct prom_client *client;
  const struct prom_device *device;
  const char *metric;
  const char *instance; /* of the type; NULL or "*": all of them */
};

/* The samples themselves of the span_s seconds up to `to`. */
int prom_raw(const struct prom_query *q, int64_t to, int64_t span_s, struct prom_matrix *m,
             struct tm_error *err);

/* FUNCTION_over_time(rows of span_s that end at whole multiples of it), those in (from, to]. Chunks
 * of time keep within the limits of points. */
int prom_rows(const struct prom_query *q, const char *function, int64_t from, int64_t to,
              int64_t span_s, struct prom_matrix *m, struct tm_error *err);

/* The same and, as one more row, what there is after the last whole one. */
int prom_rows_and_rest(const struct prom_query *q, const char *function, int64_t from, int64_t to,
                       int64_t span_s, struct prom_matrix *m, struct tm_error *err);

/* --- one device ------------------------------------------------------------------------------- */

struct prom_wanted {
  int64_t until;     /* nothing later is looked at */
  int64_t history_s; /* of used and capacity */
};

#define PROM_MAX_LEVELS 128
#define PROM_UNIT_S     300 /* the unit interval, where samples do not tell another */
#define PROM_MAX_ROWS   ((SOURCE_MAX_DAYS + 2) * 25 * 3600 / PROM_UNIT_S)
struct prom_job {
  struct prom_client client;
  struct history *history;
  struct prom_matrix newest; /* raw samples */
  struct prom_matrix rows;
  struct prom_matrix more;
  double *dense; /* rows of a measure, for maxima_rows: three times PROM_MAX_ROWS */
  char level_name[PROM_MAX_LEVELS][160];
  struct series_level level[PROM_MAX_LEVELS];
  struct series_refusal refused;
  char refused_text[2048];
  unsigned failures; /* requests without an answer, one after the other */
};

/* Fills the numbers of *s. 0, or a negative errno when the device cannot be told. */
int prom_device_load(struct prom_job *job, const struct prom_device *d,
                     const struct prom_wanted *wanted, struct series *s, struct tm_error *err);

#endif
