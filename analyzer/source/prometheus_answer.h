/* SPDX-License-Identifier: MIT */
#ifndef TM_PROMETHEUS_ANSWER_H
#define TM_PROMETHEUS_ANSWER_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a server answers by the HTTP API of Prometheus: bytes from outside into numbers, without a
 * connection. An answer that is partial, or comes with warnings, is no answer: what it lacks would
 * look like a gap of the device.
 */

/* The whole answer's "data", a new reference, or NULL with err: "what: the server says: ...". */
json_t *prom_answer_data(const char *text, size_t len, long status, const char *what,
                         struct tm_error *err);

struct prom_series {
  char label[128]; /* the wanted label's value; "" without it */
  size_t first;    /* of its samples */
  size_t n;
};

/* Samples in order of time; unknown is NAN. */
struct prom_matrix {
  struct prom_series *series;
  size_t n, cap;
  int64_t *time_ms;
  double *value;
  size_t used, room;
};
void prom_matrix_release(struct prom_matrix *m);
void prom_matrix_reset(struct prom_matrix *m);

/*
 * Adds a result of type matrix: series by the value of this label, each at most once in an answer;
 * samples of a series that is there already are put behind those it has, so answers for stretches
 * of time are added one after the other. what: for messages. 0, -EBADMSG or -ENOMEM.
 */
int prom_matrix_add(struct prom_matrix *m, const json_t *data, const char *label, const char *what,
                    struct tm_error *err);

/* The series of this label's value; NULL without one. */
const struct prom_series *prom_matrix_find(const struct prom_matrix *m, const char *label);

#endif
