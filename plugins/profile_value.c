/* SPDX-License-Identifier: MIT */
#include "plugins/profile_value.h"

#include "common/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TWO_TO_32 4294967296.0

static const struct profile_index nowhere = {NULL, 0};

static void note(struct profile_source *s, const uint32_t *id, size_t len)
{
  if (!s->explain)
    return;
  size_t used = strlen(s->from);
  if (used > 0 && used + 2 < sizeof(s->from)) {
    s->from[used++] = ' ';
    s->from[used] = '\0';
  }
  oid_format(s->from + used, sizeof(s->from) - used, id, len);
}

/* The cell of a column that belongs to a row. */
static bool cell(struct profile_source *s, const struct oid_path *column, struct profile_index at,
                 struct snmp_row *row)
{
  uint32_t id[OID_PATH_MAX + SNMP_ARCS];
  if (at.len > SNMP_ARCS)
    return false;
  memcpy(id, column->id, column->len * sizeof(*id));
  memcpy(id + column->len, at.id, at.len * sizeof(*id));
  return snmp_rows_get(s->rows, id, column->len + at.len, row);
}

/* The index under which a value stands in another table than its row's. */
static bool translate(struct profile_source *s, const struct profile_key *key,
                      struct profile_index at, uint32_t *arc, struct profile_index *out)
{
  struct snmp_row row;
  if (key->by.len > 0) {
    if (!cell(s, &key->by, at, &row))
      return false;
    double v = snmp_value_number(&row.value, NULL);
    if (!(v >= 0 && v < TWO_TO_32))
      return false;
    *arc = (uint32_t)v;
    *out = (struct profile_index){arc, 1};
    return true;
  }
  if (key->skip > at.len || key->parts > at.len - key->skip)
    return false;
  *out =
      (struct profile_index){at.id + key->skip, key->parts > 0 ? key->parts : at.len - key->skip};
  return true;
}

static bool place(struct profile_source *s, const struct oid_path *oid, bool column,
                  const struct profile_key *key, struct profile_index at, struct snmp_row *row)
{
  uint32_t arc = 0;
  struct profile_index index = at;
  if (!column)
    return snmp_rows_get(s->rows, oid->id, oid->len, row);
  return translate(s, key, at, &arc, &index) && cell(s, oid, index, row);
}

bool profile_value_passes(const struct profile_test *t, const struct snmp_value *v)
{
  char text[SNMP_BYTES];
  snmp_value_text(v, text, sizeof(text));
  if (t->match != NULL && !tm_text_fits(t->match, text))
    return false;
  if (t->unlike != NULL && tm_text_fits(t->unlike, text))
    return false;
  return isnan(t->above) || snmp_value_number(v, NULL) > t->above;
}

bool profile_tests_hold(struct profile_source *s, const struct profile_tests *t,
                        struct profile_index at)
{
  static const struct profile_key plain = {0};
  struct snmp_row row;
  for (size_t i = 0; i < t->len; i++) {
    const struct profile_test *test = &t->list[i];
    if (test->column && at.id == NULL)
      return false;
    /* What is not told cannot be of the unwanted kind. */
    if (!place(s, &test->oid, test->column, &plain, at, &row)) {
      if (test->match != NULL || !isnan(test->above) || test->unlike == NULL)
        return false;
    } else if (!profile_value_passes(test, &row.value)) {
      return false;
    }
  }
  return true;
}

/* The text of the first group of an expression, or of the whole match. */
static bool extract(const regex_t *regex, char *text, size_t size)
{
  regmatch_t m[2];
  if (!tm_text_match(regex, text, 2, m))
    return false;
  const regmatch_t *g = m[1].rm_so >= 0 ? &m[1] : &m[0];
  size_t len = (size_t)(g->rm_eo - g->rm_so);
  if (len >= size)
    return false;
  memmove(text, text + g->rm_so, len);
  text[len] = '\0';
  return true;
}

static double decode(const struct profile_number *n, const struct snmp_value *v, double *unit)
{
  char text[SNMP_BYTES];
  if (n->match == NULL)
    return n->exact ? snmp_value_number(v, unit) : snmp_value_size(v, unit);
  snmp_value_text(v, text, sizeof(text));
  if (!extract(n->match, text, sizeof(text)))
    return NAN;
  struct snmp_value part = {.type = SNMP_STRING, .bytes = text, .len = strlen(text)};
  return snmp_value_size(&part, unit);
}

static double number_at(struct profile_source *s, const struct profile_number *n,
                        struct profile_index at);

/* The value of one cell or scalar in bytes, pages, whatever its unit is. */
static double single(struct profile_source *s, const struct profile_number *n,
                     struct profile_index at)
{
  struct snmp_row row;
  double own_unit = 1;
  if (!place(s, &n->oid, n->column, &n->key, at, &row))
    return NAN;
  double v = n->low.len > 0 ? snmp_value_word(&row.value) : decode(n, &row.value, &own_unit);
  note(s, row.id, row.id_len);
  if (n->low.len > 0) {
    if (!place(s, &n->low, n->column, &n->key, at, &row))
      return NAN;
    note(s, row.id, row.id_len);
    v = v * TWO_TO_32 + snmp_value_word(&row.value);
  }
  /* A unit that the text itself carries outranks the one that the profile says. */
  if (own_unit > 1)
    return v * own_unit;
  if (n->unit == NULL)
    return v * n->factor;
  double unit = number_at(s, n->unit, at);
  return unit > 0 ? v * unit : NAN;
}

static double combine(enum profile_take take, double sofar, double v, size_t known)
{
  if (known == 0)
    return v;
  switch (take) {
  case PROFILE_SUM:
    return sofar + v;
  case PROFILE_MIN:
    return fmin(sofar, v);
  case PROFILE_MAX:
    return fmax(sofar, v);
  case PROFILE_LAST:
    return v;
  default:
    return sofar;
  }
}

/* Gathers a column over its rows. */
static double gather(struct profile_source *s, const struct profile_number *n)
{
  size_t first = 0;
  size_t rows = snmp_rows_under(s->rows, n->oid.id, n->oid.len, &first);
  double result = NAN;
  size_t known = 0;
  size_t counted = 0;
  char from[sizeof(s->from)];
  memcpy(from, s->from, sizeof(from));
  for (size_t i = 0; i < rows; i++) {
    struct snmp_row row;
    snmp_rows_at(s->rows, first + i, &row);
    struct profile_index at = {row.id + n->oid.len, row.id_len - n->oid.len};
    if (!profile_tests_hold(s, &n->where, at))
      continue;
    counted++;
    if (n->take == PROFILE_COUNT)
      continue;
    double v = single(s, n, at);
    if (isnan(v))
      continue;
    result = combine(n->take, result, v, known++);
    if (n->take == PROFILE_FIRST)
      break;
  }
  if (n->take != PROFILE_FIRST) { /* the column says it shorter than its rows */
    memcpy(s->from, from, sizeof(from));
    note(s, n->oid.id, n->oid.len);
  }
  if (n->take == PROFILE_COUNT)
    return rows > 0 ? (double)counted : NAN;
  return result;
}

static double terms(struct profile_source *s, const struct profile_numbers *n,
                    struct profile_index at)
{
  double sum = 0;
  for (size_t i = 0; n != NULL && i < n->len; i++)
    sum += number_at(s, &n->list[i], at);
  return sum;
}

/* The sum of those that are told: counters by function, of which a device has some. */
static double known_sum(struct profile_source *s, const struct profile_numbers *n,
                        struct profile_index at)
{
  double sum = NAN;
  for (size_t i = 0; i < n->len; i++) {
    double v = number_at(s, &n->list[i], at);
    if (isfinite(v))
      sum = isnan(sum) ? v : sum + v;
  }
  return sum;
}

static double number_at(struct profile_source *s, const struct profile_number *n,
                        struct profile_index at)
{
  double v;
  if (n->constant)
    return n->factor;
  if (n->sum_of != NULL)
    v = known_sum(s, n->sum_of, at);
  else
    v = n->column && at.id == NULL ? gather(s, n) : single(s, n, at);
  if (n->per != NULL)
    v = v / 100 * number_at(s, n->per, at);
  return v + terms(s, n->plus, at) - terms(s, n->minus, at);
}

void profile_id_of(struct profile_index at, char out[READING_ID])
{
  char text[512] = "";
  size_t len = 0;
  size_t first = at.len > 32 ? at.len - 32 : 0;
  for (size_t i = first; i < at.len; i++)
    len += (size_t)snprintf(text + len, sizeof(text) - len, i > first ? ".%u" : "%u", at.id[i]);
  size_t cut = len < READING_ID ? 0 : len - (READING_ID - 1);
  memcpy(out, text + cut, len - cut + 1);
}

double profile_number_of(struct profile_source *s, const struct profile_numbers *n,
                         struct profile_index at)
{
  for (size_t i = 0; i < n->len; i++) {
    s->from[0] = '\0';
    double v = number_at(s, &n->list[i], at);
    if (isfinite(v))
      return v;
  }
  s->from[0] = '\0';
  return NAN;
}

double profile_code_of(struct profile_source *s, const struct profile_numbers *n,
                       struct profile_index at)
{
  struct snmp_row row;
  for (size_t i = 0; i < n->len; i++) {
    const struct profile_number *one = &n->list[i];
    if (place(s, &one->oid, one->column, &one->key, at, &row))
      return snmp_value_number(&row.value, NULL);
  }
  return NAN;
}

/* The cells that one number is gathered from, each with where it wraps. */
static int counters_at(struct profile_source *s, const struct profile_number *n, struct reading *r)
{
  int rc = 0;
  for (size_t i = 0; rc == 0 && n->sum_of != NULL && i < n->sum_of->len; i++)
    rc = counters_at(s, &n->sum_of->list[i], r);
  if (n->oid.len == 0)
    return rc;
  size_t first = 0;
  size_t rows = snmp_rows_under(s->rows, n->oid.id, n->oid.len, &first);
  for (size_t i = 0; i < rows; i++) {
    struct snmp_row row;
    snmp_rows_at(s->rows, first + i, &row);
    struct profile_index at = {row.id + n->oid.len, row.id_len - n->oid.len};
    if (n->column && !profile_tests_hold(s, &n->where, at))
      continue;
    double v = single(s, n, at);
    if (!(v >= 0 && v < 0x1p63))
      continue;
    struct reading_counter *c = reading_add_counter(r);
    if (c == NULL)
      return -ENOMEM;
    /* The end of an identifier tells one counter from another; its beginning is the profile's. */
    size_t arcs = row.id_len < 4 ? row.id_len : 4;
    oid_format(c->name, sizeof(c->name), row.id + row.id_len - arcs, arcs);
    c->value = (uint64_t)v;
    c->bits = n->low.len > 0 || row.value.wide ? 64 : 32;
    if (n->take == PROFILE_FIRST)
      break;
  }
  return 0;
}

int profile_counters_of(struct profile_source *s, const struct profile_numbers *n,
                        struct reading *r)
{
  for (size_t i = 0; i < n->len; i++)
    if (isfinite(number_at(s, &n->list[i], nowhere)))
      return counters_at(s, &n->list[i], r);
  return 0;
}

static void put_word(const struct profile_text *t, const struct snmp_value *v, char *out,
                     size_t size)
{
  double code = snmp_value_number(v, NULL);
  for (size_t i = 0; i < t->words_len; i++)
    if (t->words[i].code == code) {
      snprintf(out, size, "%s", t->words[i].word);
      return;
    }
}

/* Firmware that prints a missing text gives the word for it. */
static bool says_nothing(const char *text)
{
  static const char *const words[] = {"null", "(null)", "n/a"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (strcasecmp(text, words[i]) == 0)
      return true;
  return false;
}

static bool text_at(struct profile_source *s, const struct profile_text *t,
                    const struct snmp_row *row, char *out, size_t size)
{
  char text[SNMP_BYTES];
  snmp_value_text(&row->value, text, sizeof(text));
  if (t->unlike != NULL && tm_text_fits(t->unlike, text))
    return false;
  if (t->match != NULL && !extract(t->match, text, sizeof(text)))
    return false;
  put_word(t, &row->value, text, sizeof(text));
  if (text[0] == '\0' || says_nothing(text))
    return false;
  char whole[SNMP_BYTES + 64];
  snprintf(whole, sizeof(whole), "%s%s", t->prefix != NULL ? t->prefix : "", text);
  if (tm_text_clean(out, size, whole, strlen(whole)) == 0)
    return false;
  note(s, row->id, row->id_len);
  return true;
}

/* The first row of a column that says something. */
static bool gather_text(struct profile_source *s, const struct profile_text *t, char *out,
                        size_t size)
{
  size_t first = 0;
  size_t rows = snmp_rows_under(s->rows, t->oid.id, t->oid.len, &first);
  for (size_t i = 0; i < rows; i++) {
    struct snmp_row row;
    snmp_rows_at(s->rows, first + i, &row);
    struct profile_index at = {row.id + t->oid.len, row.id_len - t->oid.len};
    if (profile_tests_hold(s, &t->where, at) && text_at(s, t, &row, out, size))
      return true;
  }
  return false;
}

void profile_text_of(struct profile_source *s, const struct profile_texts *t,
                     struct profile_index at, char *out, size_t size)
{
  out[0] = '\0';
  s->from[0] = '\0';
  for (size_t i = 0; i < t->len; i++) {
    const struct profile_text *one = &t->list[i];
    struct snmp_row row;
    if (one->constant != NULL) {
      snprintf(out, size, "%s", one->constant);
      return;
    }
    if (one->column && at.id == NULL) {
      if (gather_text(s, one, out, size))
        return;
    } else if (profile_tests_hold(s, &one->where, one->column ? at : nowhere) &&
               place(s, &one->oid, one->column, &one->key, at, &row) &&
               text_at(s, one, &row, out, size)) {
      return;
    }
  }
  out[0] = '\0';
}
