/* SPDX-License-Identifier: MIT */
#include "analyzer/forecast_csv.h"

#include "analyzer/forecast/forecast.h"
#include "common/error.h"
#include "common/number.h"

#include <csv.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum column { SERIES, TIME, USED, CAPACITY, N_COLUMNS };
static const char *const column_name[N_COLUMNS] = {"series", "time", "used", "capacity"};

#define COLUMNS_MAX 64
#define CHUNK       65536
#define BACK_ROWS   30

struct row {
  int64_t time;
  double used, capacity;
};

struct reader {
  const char *file;
  const struct forecast_csv_taker *taker;
  struct tm_error *err;
  int rc;
  size_t line;                /* that begins the row in hand, from 1 */
  size_t breaks;              /* line breaks inside its fields */
  size_t field;               /* of the row in hand */
  bool headed;                /* the header was read */
  int column_of[COLUMNS_MAX]; /* field -> enum column, -1: passed over */
  bool seen[N_COLUMNS];       /* by the row in hand */
  struct row row;
  bool started; /* a series is in hand */
  bool refused; /* and cannot be used */
  char row_name[FORECAST_CSV_FIELD_MAX + 1];
  const char *bad; /* what is wrong with the row; NULL: nothing */
  struct forecast_csv_series series;
};

void forecast_csv_series_release(struct forecast_csv_series *s)
{
  free(s->name);
  free(s->time);
  free(s->used);
  free(s->capacity);
  *s = (struct forecast_csv_series){0};
}

static bool grow(void *array, size_t size)
{
  void **p = array, *q = realloc(*p, size);
  if (q != NULL)
    *p = q;
  return q != NULL;
}

static int reserve(struct forecast_csv_series *s)
{
  if (s->n < s->cap)
    return 0;
  size_t cap = s->cap < 512 ? 512 : 2 * s->cap;
  if (!grow(&s->time, cap * sizeof(*s->time)) || !grow(&s->used, cap * sizeof(*s->used)) ||
      !grow(&s->capacity, cap * sizeof(*s->capacity)))
    return -ENOMEM;
  s->cap = cap;
  return 0;
}

static int name_series(struct forecast_csv_series *s, const char *name)
{
  size_t size = strlen(name) + 1;
  if (size > s->name_cap) {
    if (!grow(&s->name, size))
      return -ENOMEM;
    s->name_cap = size;
  }
  memcpy(s->name, name, size);
  s->n = 0;
  return 0;
}

/* A file put together from several may hold two histories of one name: the time falls back by many
 * rows and goes on from a time that is near. A single row out of order is a fault. */
static bool begins_again(const struct forecast_csv_series *s, int64_t time)
{
  if (s->n < BACK_ROWS || time >= s->time[s->n - 1])
    return false;
  double first = (double)s->time[0], span = (double)s->time[s->n - 1] - first;
  double back = (double)s->time[s->n - 1] - (double)time;
  return back * (double)(s->n - 1) >= BACK_ROWS * span && first - (double)time <= 4 * span;
}

/* Hands the series in hand to the taker. */
static void finish(struct reader *r)
{
  if (r->started && !r->refused && r->rc == 0)
    r->rc = r->taker->series(r->taker->context, &r->series, r->err);
  r->started = false;
}

static void refuse(struct reader *r, const char *what)
{
  char text[FORECAST_CSV_FIELD_MAX + 512];
  snprintf(text, sizeof(text), "%s:%zu: series '%s': %s", r->file, r->line, r->series.name, what);
  r->refused = true;
  r->rc = r->taker->refused(r->taker->context, text, r->err);
}

/* Plain digits, few enough to be exact: nearly all that stands in such a file. */
static bool plain_digits(const char *text, int64_t *value)
{
  int64_t v = 0;
  size_t i = 0;
  for (; i < 15 && text[i] >= '0' && text[i] <= '9'; i++)
    v = 10 * v + (text[i] - '0');
  *value = v;
  return i > 0 && text[i] == '\0';
}

static const char *read_number(const char *text, double *value, const char *what)
{
  int64_t whole;
  *value = NAN;
  if (plain_digits(text, &whole)) {
    *value = (double)whole;
    return NULL;
  }
  return *text == '\0' || tm_parse_double(text, value) == 0 ? NULL : what;
}

static void read_field(struct reader *r, enum column c, const char *text)
{
  const char *bad = NULL;
  if (r->seen[c])
    return;
  r->seen[c] = true;
  switch (c) {
  case SERIES:
    snprintf(r->row_name, sizeof(r->row_name), "%s", text);
    break;
  case TIME:
    if (!(plain_digits(text, &r->row.time) && r->row.time <= (int64_t)1 << 40) &&
        tm_parse_i64(text, -((int64_t)1 << 40), (int64_t)1 << 40, &r->row.time) < 0)
      bad = "the time is not in epoch seconds";
    break;
  case USED:
    bad = read_number(text, &r->row.used, "'used' is not a number");
    break;
  case CAPACITY:
    bad = read_number(text, &r->row.capacity, "'capacity' is not a number");
    break;
  case N_COLUMNS:
    break;
  }
  if (r->bad == NULL)
    r->bad = bad;
}

static void read_heading(struct reader *r, const char *text)
{
  if (r->field == 0 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
    text += 3;
  r->column_of[r->field] = -1;
  for (int c = 0; c < N_COLUMNS; c++)
    if (strcmp(text, column_name[c]) == 0 && !r->seen[c]) {
      r->column_of[r->field] = c;
      r->seen[c] = true;
    }
}

static void on_field(void *data, size_t len, void *context)
{
  struct reader *r = context;
  const char *text = data != NULL ? data : "";
  if (r->rc < 0)
    return;
  for (const char *p = memchr(text, '\n', len); p != NULL;
       p = memchr(p + 1, '\n', len - (size_t)(p + 1 - text)))
    r->breaks++;
  if (len > FORECAST_CSV_FIELD_MAX)
    r->rc = tm_fail(r->err, -EBADMSG, "%s:%zu: a field is longer than %d bytes", r->file, r->line,
                    FORECAST_CSV_FIELD_MAX);
  else if (r->field < COLUMNS_MAX && !r->headed)
    read_heading(r, text);
  else if (r->field < COLUMNS_MAX && r->column_of[r->field] >= 0) {
    if (strlen(text) != len && r->bad == NULL)
      r->bad = "a NUL byte in a field";
    read_field(r, (enum column)r->column_of[r->field], text);
  }
  r->field++;
}

static void end_heading(struct reader *r)
{
  for (int c = 0; c < CAPACITY && r->rc == 0; c++)
    if (!r->seen[c])
      r->rc = tm_fail(r->err, -EBADMSG, "%s:%zu: the header has no column '%s'", r->file, r->line,
                      column_name[c]);
  for (size_t i = r->field; i < COLUMNS_MAX; i++)
    r->column_of[i] = -1;
  r->headed = true;
}

static void end_data(struct reader *r)
{
  struct forecast_csv_series *s = &r->series;
  bool again = r->started && !r->refused && r->bad == NULL && begins_again(s, r->row.time);
  if (!r->started || again || strcmp(s->name, r->row_name) != 0) {
    finish(r);
    if (r->rc < 0)
      return;
    r->started = true;
    r->refused = false;
    if (name_series(s, r->row_name) < 0)
      r->rc = tm_fail(r->err, -ENOMEM, "%s:%zu: out of memory", r->file, r->line);
  }
  if (r->rc < 0 || r->refused)
    return;
  if (r->bad == NULL && (!r->seen[SERIES] || !r->seen[TIME] || !r->seen[USED]))
    r->bad = "the row has too few fields";
  if (r->bad == NULL && s->n > 0 && r->row.time < s->time[s->n - 1])
    r->bad = "the time lies before that of the row above";
  if (r->bad == NULL && s->n >= FORECAST_MAX_ROWS)
    r->bad = "too many rows";
  if (r->bad != NULL) {
    refuse(r, r->bad);
    return;
  }
  if (reserve(s) < 0) {
    r->rc = tm_fail(r->err, -ENOMEM, "%s:%zu: out of memory", r->file, r->line);
    return;
  }
  s->time[s->n] = r->row.time;
  s->used[s->n] = r->row.used;
  s->capacity[s->n] = r->row.capacity;
  s->n++;
}

/* libcsv is asked to tell empty lines too, so that the line numbers are right. */
static void on_row(int end, void *context)
{
  struct reader *r = context;
  (void)end;
  if (r->rc < 0)
    return;
  bool empty = r->field == 0;
  if (!empty && !r->headed)
    end_heading(r);
  else if (!empty)
    end_data(r);
  r->line += 1 + r->breaks;
  r->breaks = r->field = 0;
  r->bad = NULL;
  memset(r->seen, 0, sizeof(r->seen));
  r->row = (struct row){0, NAN, NAN};
  r->row_name[0] = '\0';
}

static void feed(struct reader *r, struct csv_parser *parser, FILE *in)
{
  char chunk[CHUNK];
  size_t n;
  while (r->rc == 0 && (n = fread(chunk, 1, sizeof(chunk), in)) > 0) {
    if (csv_parse(parser, chunk, n, on_field, on_row, r) != n && r->rc == 0)
      r->rc = tm_fail(r->err, -EBADMSG, "%s:%zu: %s", r->file, r->line,
                      csv_strerror(csv_error(parser)));
    if (r->rc == 0 && csv_get_buffer_size(parser) > 2 * CHUNK)
      r->rc = tm_fail(r->err, -EBADMSG, "%s:%zu: a field is longer than %d bytes", r->file, r->line,
                      FORECAST_CSV_FIELD_MAX);
  }
  if (r->rc == 0 && ferror(in))
    r->rc = tm_fail(r->err, -EIO, "%s: read error", r->file);
  if (r->rc == 0 && csv_fini(parser, on_field, on_row, r) != 0 && r->rc == 0)
    r->rc =
        tm_fail(r->err, -EBADMSG, "%s:%zu: %s", r->file, r->line, csv_strerror(csv_error(parser)));
}

int forecast_csv_read(FILE *in, const char *file, const struct forecast_csv_taker *taker,
                      struct tm_error *err)
{
  struct csv_parser parser;
  struct reader *r = calloc(1, sizeof(*r));
  if (r == NULL ||
      csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL | CSV_REPALL_NL) != 0) {
    free(r);
    return tm_fail(err, -ENOMEM, "%s: out of memory", file);
  }
  r->file = file;
  r->taker = taker;
  r->err = err;
  r->line = 1;
  r->row = (struct row){0, NAN, NAN};
  feed(r, &parser, in);
  if (r->rc == 0 && !r->headed)
    r->rc = tm_fail(err, -EBADMSG, "%s: no header: series,time,used,capacity is expected", file);
  finish(r);
  int rc = r->rc;
  csv_free(&parser);
  forecast_csv_series_release(&r->series);
  free(r);
  return rc;
}
