/* SPDX-License-Identifier: MIT */
#include "contrib/desk/import/rows.h"

#include "common/file.h"
#include "common/json_check.h"
#include "common/text.h"

#include <csv.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_MAX = 4000 };

int faults_add(struct faults *f, const struct rows *rows, size_t line, const char *fmt, ...)
{
  char text[400];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof(text), fmt, args);
  va_end(args);
  if (f->n < FAULTS_SHOWN)
    tm_fail(&f->shown[f->n], -EBADMSG, "%s:%zu: %s", rows->name, line, text);
  f->n++;
  return -EBADMSG;
}

void rows_release(struct rows *rows)
{
  for (size_t i = 0; i < rows->len; i++) {
    for (size_t c = 0; c < ROWS_COLUMNS; c++)
      free(rows->list[i].cells[c]);
  }
  free(rows->list);
  free(rows->name);
  *rows = (struct rows){0};
}

/* --- what both share ---------------------------------------------------------------------- */

struct reading {
  struct rows *rows;
  const char *const *names;
  struct faults *faults;
  size_t room;
  int rc; /* of memory and size alone */
  /* of CSV */
  size_t line, row_line, column, columns;
  int order[ROWS_COLUMNS]; /* of the file's columns among the names; -1 unknown */
  bool in_head, row_empty;
  struct row row;
};

static int place_of(const struct reading *r, const char *name)
{
  for (int i = 0; r->names[i] != NULL; i++) {
    if (strcmp(r->names[i], name) == 0)
      return i;
  }
  return -1;
}

static void unknown_column(struct reading *r, size_t line, const char *name)
{
  const char *near = tm_text_nearest(name, r->names);
  char clean[80];
  tm_text_clean(clean, sizeof(clean), name, strlen(name));
  if (near != NULL)
    faults_add(r->faults, r->rows, line, "there is no column '%s'; did you mean '%s'?", clean,
               near);
  else
    faults_add(r->faults, r->rows, line, "there is no column '%s'", clean);
}

/* A cell as text without blanks at its ends; NULL for an empty one. */
static void put_cell(struct reading *r, int column, size_t line, const char *data, size_t len)
{
  char clean[CELL_MAX + 8];
  size_t n = tm_text_clean(clean, sizeof(clean), data, len);
  if (n > CELL_MAX || len > CELL_MAX)
    faults_add(r->faults, r->rows, line, "%s: longer than %d bytes", r->names[column], CELL_MAX);
  else if (strstr(clean, "\xef\xbf\xbd") != NULL)
    faults_add(r->faults, r->rows, line, "%s: not UTF-8", r->names[column]);
  else if (n > 0 && (r->row.cells[column] = strdup(clean)) == NULL)
    r->rc = -ENOMEM;
}

static void end_row(struct reading *r, size_t line)
{
  struct rows *rows = r->rows;
  if (rows->len == r->room) {
    size_t more = r->room > 0 ? 2 * r->room : 256;
    struct row *grown = rows->len < ROWS_MAX ? realloc(rows->list, more * sizeof(*grown)) : NULL;
    if (grown == NULL) {
      r->rc = rows->len < ROWS_MAX ? -ENOMEM : -EFBIG;
      return;
    }
    rows->list = grown;
    r->room = more;
  }
  r->row.line = line;
  rows->list[rows->len++] = r->row;
  r->row = (struct row){0};
}

static void drop_row(struct reading *r)
{
  for (size_t c = 0; c < ROWS_COLUMNS; c++)
    free(r->row.cells[c]);
  r->row = (struct row){0};
}

/* --- CSV ---------------------------------------------------------------------------------- */

static void take_head(struct reading *r, const char *data, size_t len)
{
  char name[64];
  tm_text_clean(name, sizeof(name), data, len);
  if (r->columns == ROWS_COLUMNS) {
    faults_add(r->faults, r->rows, r->row_line, "more than %d columns", ROWS_COLUMNS);
    return;
  }
  int at = place_of(r, name);
  if (at < 0)
    unknown_column(r, r->row_line, name);
  for (size_t i = 0; at >= 0 && i < r->columns; i++) {
    if (r->order[i] == at)
      at = faults_add(r->faults, r->rows, r->row_line, "column '%s' stands twice", name);
  }
  r->order[r->columns++] = at;
}

static void on_cell(void *data, size_t len, void *user)
{
  struct reading *r = user;
  const char *text = data != NULL ? data : "";
  if (r->in_head) {
    take_head(r, text, len);
    return;
  }
  r->row_empty = r->row_empty && len == 0;
  if (r->column < r->columns && r->order[r->column] >= 0)
    put_cell(r, r->order[r->column], r->row_line, text, len);
  r->column++;
}

static void on_row(int c, void *user)
{
  struct reading *r = user;
  (void)c;
  if (r->in_head) {
    r->in_head = false;
  } else if (r->row_empty) {
    drop_row(r); /* an empty line */
  } else if (r->column != r->columns) {
    faults_add(r->faults, r->rows, r->row_line, "%zu cells, and %zu columns in the first line",
               r->column, r->columns);
    drop_row(r);
  } else {
    end_row(r, r->row_line);
  }
  r->column = 0;
  r->row_empty = true;
  r->row_line = 0; /* that of its first byte, when that comes */
}

static int parse_csv(struct reading *r, const char *data, size_t len, struct tm_error *err)
{
  struct csv_parser p;
  if (csv_init(&p, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  r->in_head = true;
  r->row_empty = true;
  r->line = r->row_line = 1;
  size_t i = 0;
  /* A byte at a time, so that the line is known when a row ends. */
  for (; i < len && r->rc == 0; i++) {
    if (r->row_line == 0 && data[i] != '\r' && data[i] != '\n')
      r->row_line = r->line;
    r->line += data[i] == '\n';
    if (csv_parse(&p, &data[i], 1, on_cell, on_row, r) != 1)
      break;
  }
  if (r->rc == 0 && (i < len || csv_fini(&p, on_cell, on_row, r) != 0))
    faults_add(r->faults, r->rows, r->row_line != 0 ? r->row_line : r->line,
               "quotes that are not closed, or stand within a cell");
  if (r->rc == 0 && r->in_head && r->faults->n == 0)
    faults_add(r->faults, r->rows, 1, "the names of columns are wanted in the first line");
  csv_free(&p);
  drop_row(r);
  return 0;
}

/* --- JSON --------------------------------------------------------------------------------- */

static void put_list(struct reading *r, int column, size_t line, const json_t *list)
{
  struct tm_buf b = TM_BUF_INIT(CELL_MAX);
  size_t i;
  json_t *v;
  json_array_foreach(list, i, v)
  {
    if (!json_is_string(v) || strchr(json_string_value(v), ';') != NULL ||
        tm_buf_printf(&b, "%s%s", i > 0 ? ";" : "", json_string_value(v)) < 0)
      faults_add(r->faults, r->rows, line, "%s: short texts without ';' are wanted",
                 r->names[column]);
  }
  put_cell(r, column, line, b.ptr != NULL ? b.ptr : "", b.len);
  tm_buf_release(&b);
}

static void put_json(struct reading *r, int column, size_t line, const json_t *v)
{
  char number[40];
  if (json_is_string(v)) {
    put_cell(r, column, line, json_string_value(v), json_string_length(v));
  } else if (json_is_array(v)) {
    put_list(r, column, line, v);
  } else if (json_is_number(v)) {
    snprintf(number, sizeof(number), "%.15g", json_number_value(v));
    put_cell(r, column, line, number, strlen(number));
  } else if (!json_is_null(v)) {
    faults_add(r->faults, r->rows, line, "%s: a text or number is wanted", r->names[column]);
  }
}

static void take_object(struct reading *r, const struct tm_json_file *f, const json_t *list,
                        size_t index)
{
  const json_t *object = json_array_get(list, index);
  size_t line = tm_json_line(f, list, NULL, index);
  const char *key;
  json_t *v;
  if (!json_is_object(object)) {
    faults_add(r->faults, r->rows, line, "an object is wanted");
    return;
  }
  json_object_foreach((json_t *)object, key, v)
  {
    size_t at_line = tm_json_line(f, object, key, SIZE_MAX);
    int column = place_of(r, key);
    if (column < 0)
      unknown_column(r, at_line, key);
    else
      put_json(r, column, at_line, v);
  }
  end_row(r, line);
}

/* The array itself, or the only array among the members of an object. */
static const json_t *find_list(const json_t *root)
{
  const char *key;
  json_t *v;
  const json_t *found = NULL;
  if (json_is_array(root))
    return root;
  json_object_foreach((json_t *)root, key, v)
  {
    if (json_is_array(v) && found != NULL)
      return NULL;
    if (json_is_array(v))
      found = v;
  }
  return found;
}

static int parse_json(struct reading *r, const char *data, size_t len, struct tm_error *err)
{
  struct tm_json_file f = {0};
  int rc = tm_json_file_parse(&f, data, len, r->rows->name, err);
  const json_t *list = rc == 0 ? find_list(f.root) : NULL;
  if (rc == 0 && list == NULL)
    rc = tm_json_refuse(&f, f.root, NULL, err, "an array of objects is wanted");
  for (size_t i = 0; rc == 0 && r->rc == 0 && i < json_array_size(list); i++)
    take_object(r, &f, list, i);
  tm_json_file_release(&f);
  return rc;
}

/* --- the whole ---------------------------------------------------------------------------- */

static int parse(struct rows *rows, const char *data, size_t len, const char *name,
                 const char *const *names, struct faults *faults, struct tm_error *err)
{
  struct reading r = {.rows = rows, .names = names, .faults = faults};
  *rows = (struct rows){.name = strdup(name)};
  if (rows->name == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
    data += 3;
    len -= 3;
  }
  size_t blank = 0;
  while (blank < len && strchr(" \t\r\n", data[blank]) != NULL)
    blank++;
  bool json = blank < len && (data[blank] == '[' || data[blank] == '{');
  int rc = json ? parse_json(&r, data, len, err) : parse_csv(&r, data, len, err);
  if (rc == 0 && r.rc < 0)
    rc = tm_fail(err, r.rc, "%s: %s", name, strerror(-r.rc));
  if (rc == 0 && faults->n > 0)
    rc = -EBADMSG;
  return rc;
}

int rows_read(struct rows *rows, const char *path, const char *const *names, struct faults *faults,
              struct tm_error *err)
{
  struct tm_buf b = TM_BUF_INIT(ROWS_BYTES);
  *rows = (struct rows){0};
  int rc = tm_file_read(path, &b, err);
  if (rc == 0)
    rc = parse(rows, b.ptr != NULL ? b.ptr : "", b.len, path, names, faults, err);
  tm_buf_release(&b);
  return rc;
}
