/* SPDX-License-Identifier: MIT */
#include "analyzer/source/prometheus_answer.h"

#include "common/json.h"
#include "common/number.h"
#include "common/room.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SERIES  1024
#define MAX_SAMPLES (4U << 20)
#define MAX_TIME_S  4e9

/* --- the envelope ----------------------------------------------------------------------------- */

static const char *first_text(const json_t *list)
{
  const char *text = json_string_value(json_array_get(list, 0));
  return text != NULL ? text : "a warning";
}

static int check_envelope(const json_t *answer, long status, const char *what, struct tm_error *err)
{
  const char *outcome = tm_json_get_string(answer, "status");
  const char *error = tm_json_get_string(answer, "error");
  if (outcome == NULL || strcmp(outcome, "success") != 0 || status != 200)
    return tm_fail(err, -EBADMSG, "%s: the server answered %ld: %s", what, status,
                   error != NULL ? error : "no reason given");
  if (tm_json_get_bool(answer, "isPartial", false))
    return tm_fail(err, -EBADMSG, "%s: the answer is partial: a part of the cluster is away", what);
  const json_t *warnings = json_object_get(answer, "warnings");
  if (json_array_size(warnings) > 0)
    return tm_fail(err, -EBADMSG, "%s: the server warns: %s", what, first_text(warnings));
  return 0;
}

json_t *prom_answer_data(const char *text, size_t len, long status, const char *what,
                         struct tm_error *err)
{
  struct tm_error bad = {0};
  json_t *answer = tm_json_parse(text != NULL ? text : "", len, what, &bad);
  if (answer == NULL && bad.code == -ENOMEM) { /* nobody knows what it is */
    tm_fail(err, -ENOMEM, "%s: out of memory", what);
    return NULL;
  }
  if (answer == NULL) {
    tm_fail(err, -EBADMSG, "%s: the server answered %ld, %s", what, status,
            status == 200 ? "which is no JSON" : "and not by the API of Prometheus");
    return NULL;
  }
  json_t *data = NULL;
  if (check_envelope(answer, status, what, err) == 0) {
    data = json_incref(json_object_get(answer, "data"));
    if (data == NULL)
      tm_fail(err, -EBADMSG, "%s: the answer has no data", what);
  }
  json_decref(answer);
  return data;
}

/* --- samples ---------------------------------------------------------------------------------- */

void prom_matrix_release(struct prom_matrix *m)
{
  free(m->series);
  free(m->time_ms);
  free(m->value);
  *m = (struct prom_matrix){0};
}

void prom_matrix_reset(struct prom_matrix *m)
{
  m->n = m->used = 0;
}

static int make_room(struct prom_matrix *m, size_t more)
{
  if (more > MAX_SAMPLES || m->used + more > MAX_SAMPLES)
    return -EBADMSG;
  if (m->used + more <= m->room)
    return 0;
  size_t room = 2 * m->room > m->used + more ? 2 * m->room : m->used + more + 1024;
  int64_t *time_ms = reallocarray(m->time_ms, room, sizeof(*time_ms));
  if (time_ms != NULL)
    m->time_ms = time_ms;
  double *value = reallocarray(m->value, room, sizeof(*value));
  if (value != NULL)
    m->value = value;
  if (time_ms == NULL || value == NULL)
    return -ENOMEM;
  m->room = room;
  return 0;
}

static struct prom_series *new_series(struct prom_matrix *m, const char *label)
{
  if (TM_ROOM(m->series, m->cap, m->n) < 0)
    return NULL;
  struct prom_series *s = &m->series[m->n++];
  *s = (struct prom_series){.first = m->used};
  snprintf(s->label, sizeof(s->label), "%s", label);
  return s;
}

const struct prom_series *prom_matrix_find(const struct prom_matrix *m, const char *label)
{
  for (size_t i = 0; i < m->n; i++)
    if (strcmp(m->series[i].label, label) == 0)
      return &m->series[i];
  return NULL;
}

/* [1795158789.111, "42"] */
static bool read_sample(const json_t *pair, int64_t *time_ms, double *value)
{
  const json_t *t = json_array_get(pair, 0);
  const char *text = json_string_value(json_array_get(pair, 1));
  if (!json_is_number(t) || text == NULL || strlen(text) > 64)
    return false;
  double s = json_number_value(t);
  if (!(s >= 0 && s < MAX_TIME_S))
    return false;
  *time_ms = llround(s * 1000);
  if (tm_parse_double(text, value) == 0)
    return true;
  *value = NAN; /* "NaN", "+Inf" and "-Inf" tell nothing */
  return strstr(text, "NaN") != NULL || strstr(text, "Inf") != NULL;
}

static int add_samples(struct prom_matrix *m, struct prom_series *s, const json_t *values,
                       const char *what, struct tm_error *err)
{
  size_t i;
  json_t *pair;
  json_array_foreach(values, i, pair)
  {
    int64_t t;
    double v;
    if (!read_sample(pair, &t, &v))
      return tm_fail(err, -EBADMSG, "%s: the answer has a sample that is none", what);
    if (s->n > 0 && t <= m->time_ms[s->first + s->n - 1])
      return tm_fail(err, -EBADMSG, "%s: the answer's samples are out of order", what);
    m->time_ms[s->first + s->n] = t;
    m->value[s->first + s->n++] = v;
    m->used++;
  }
  return 0;
}

/* The series' samples stand at the end, with room behind them: those of an earlier answer are moved
 * there. */
static int open_series(struct prom_matrix *m, struct prom_series *s, size_t more)
{
  bool last = s->first + s->n == m->used;
  int rc = make_room(m, more + (last ? 0 : s->n));
  if (rc < 0 || last)
    return rc;
  memcpy(m->time_ms + m->used, m->time_ms + s->first, s->n * sizeof(*m->time_ms));
  memcpy(m->value + m->used, m->value + s->first, s->n * sizeof(*m->value));
  s->first = m->used;
  m->used += s->n;
  return 0;
}

static int add_series(struct prom_matrix *m, const json_t *one, const char *label, const char *what,
                      size_t before, struct tm_error *err)
{
  const json_t *values = json_object_get(one, "values");
  const char *name = tm_json_get_string(json_object_get(one, "metric"), label);
  if (name == NULL)
    name = "";
  if (!json_is_array(values) || strlen(name) >= sizeof(m->series->label))
    return tm_fail(err, -EBADMSG, "%s: the answer has a series that is none", what);
  struct prom_series *s = (struct prom_series *)prom_matrix_find(m, name);
  if (s != NULL && s->first + s->n > before)
    return tm_fail(err, -EBADMSG,
                   "%s: several series have the %s '%s': they differ in labels that "
                   "collectd does not set",
                   what, label, name);
  if (s == NULL && m->n < MAX_SERIES)
    s = new_series(m, name);
  int rc = s == NULL ? -ENOMEM : open_series(m, s, json_array_size(values));
  if (rc < 0)
    return tm_fail(err, rc, "%s: %s", what, rc == -ENOMEM ? "out of memory" : "too many samples");
  return add_samples(m, s, values, what, err);
}

int prom_matrix_add(struct prom_matrix *m, const json_t *data, const char *label, const char *what,
                    struct tm_error *err)
{
  const char *type = tm_json_get_string(data, "resultType");
  const json_t *result = json_object_get(data, "result");
  size_t before = m->used;
  size_t i;
  json_t *one;
  int rc = 0;
  if (type == NULL || strcmp(type, "matrix") != 0 || !json_is_array(result))
    return tm_fail(err, -EBADMSG, "%s: the answer is no matrix", what);
  json_array_foreach(result, i, one)
  {
    if (rc == 0)
      rc = add_series(m, one, label, what, before, err);
  }
  return rc;
}
