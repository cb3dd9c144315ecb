/* SPDX-License-Identifier: MIT */
#include "contrib/desk/import/import_own.h"

#include "common/clock.h"
#include "common/number.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *import_kinds(void)
{
  return "customers, staff, absences, assignments, catalogue, shops, stock or lead-times";
}

static const struct kind *kind_of(const char *name)
{
  for (const struct kind *k = import_tables; k->name != NULL; k++) {
    if (strcmp(k->name, name) == 0)
      return k;
  }
  return NULL;
}

/* --- cells -------------------------------------------------------------------------------- */

static bool is_one_of(const char *words, const char *text)
{
  size_t n = strlen(text);
  for (const char *p = words; *p != '\0'; p += strspn(p, " ")) {
    size_t len = strcspn(p, " ");
    if (len == n && memcmp(p, text, n) == 0)
      return true;
    p += len;
  }
  return false;
}

static void check_cell(const struct column *c, const struct rows *rows, const struct row *row,
                       const char *text, struct faults *faults)
{
  int64_t number;
  if (text == NULL) {
    if (c->required)
      faults_add(faults, rows, row->line, "%s: empty", c->name);
  } else if (c->one_of != NULL && !is_one_of(c->one_of, text)) {
    faults_add(faults, rows, row->line, "%s: '%.60s' is none of: %s", c->name, text, c->one_of);
  } else if (c->type == CELL_COUNT) {
    if (tm_parse_i64(text, 0, (int64_t)c->max, &number) < 0)
      faults_add(faults, rows, row->line, "%s: '%.60s' is no whole number from 0 to %zu", c->name,
                 text, c->max);
  } else if (c->type == CELL_DATE) {
    if (strlen(text) != 10 || tm_time_parse(text, &number) < 0)
      faults_add(faults, rows, row->line, "%s: '%.60s' is no date like 2026-11-20", c->name, text);
  } else if (c->one_of == NULL && tm_text_characters(text) > c->max) {
    faults_add(faults, rows, row->line, "%s: longer than %zu characters", c->name, c->max);
  }
}

static int compare_cells(const char *a, const char *b)
{
  return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

struct ordering {
  const struct row *row;
  size_t key;
};

static int compare_keys(const void *a, const void *b)
{
  const struct ordering *x = a, *y = b;
  int order = 0;
  for (size_t c = 0; order == 0 && c < x->key; c++)
    order = compare_cells(x->row->cells[c], y->row->cells[c]);
  return order;
}

static int compare_lines(const void *a, const void *b)
{
  int order = compare_keys(a, b);
  const struct ordering *x = a, *y = b;
  return order != 0 ? order : (x->row->line > y->row->line) - (x->row->line < y->row->line);
}

/* Two rows of one key: which of them was meant? */
static int check_keys(const struct kind *k, const struct rows *rows, struct faults *faults,
                      struct tm_error *err)
{
  struct ordering *o = calloc(rows->len + 1, sizeof(*o));
  if (o == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  for (size_t i = 0; i < rows->len; i++)
    o[i] = (struct ordering){&rows->list[i], k->key};
  qsort(o, rows->len, sizeof(*o), compare_lines);
  for (size_t i = 1; i < rows->len; i++) {
    if (compare_keys(&o[i - 1], &o[i]) == 0)
      faults_add(faults, rows, o[i].row->line, "the same %s as in line %zu", k->columns[0].name,
                 o[i - 1].row->line);
  }
  free(o);
  return 0;
}

static int check_rows(const struct kind *k, const struct rows *rows, struct faults *faults,
                      struct tm_error *err)
{
  for (size_t i = 0; i < rows->len; i++) {
    for (size_t c = 0; k->columns[c].name != NULL; c++)
      check_cell(&k->columns[c], rows, &rows->list[i], rows->list[i].cells[c], faults);
  }
  int rc = check_keys(k, rows, faults, err);
  return rc < 0 ? rc : faults->n > 0 ? -EBADMSG : 0;
}

/* --- storing ------------------------------------------------------------------------------ */

struct storing {
  const struct kind *kind;
  const struct rows *rows;
  int64_t now;
  struct faults *faults;
};

static int is_there(struct db *db, const char *sql, const char *text, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db, sql, &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, text);
  rc = db_step(stmt, err);
  db_done(stmt);
  return rc;
}

static int check_references(struct db *db, const struct storing *s, const struct row *row,
                            struct tm_error *err)
{
  for (size_t c = 0; s->kind->columns[c].name != NULL; c++) {
    const struct column *column = &s->kind->columns[c];
    if (column->reference == NULL || row->cells[c] == NULL)
      continue;
    int rc = is_there(db, column->reference, row->cells[c], err);
    if (rc < 0)
      return rc;
    if (rc == 0)
      faults_add(s->faults, s->rows, row->line, "%s: '%.64s' is not known", column->name,
                 row->cells[c]);
  }
  return 0;
}

static void bind_cell(struct db_stmt *stmt, int at, const struct column *c, const char *text)
{
  int64_t number = 0;
  if (c->type == CELL_COUNT) {
    if (text != NULL)
      tm_parse_i64(text, 0, INT64_MAX, &number);
    db_bind_int_or_null(stmt, at, text != NULL, number);
  } else if (c->type == CELL_DATE) {
    if (text != NULL)
      tm_time_parse(text, &number);
    db_bind_int_or_null(stmt, at, text != NULL, number / TM_DAY);
  } else {
    db_bind_text(stmt, at, text);
  }
}

static int put_row(struct db *db, const struct storing *s, const struct row *row,
                   struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int at = 0;
  int rc = db_prepare(db, s->kind->put, &stmt, err);
  if (rc < 0)
    return rc;
  for (size_t c = 0; s->kind->columns[c].name != NULL; c++) {
    if (s->kind->columns[c].type != CELL_LIST)
      bind_cell(stmt, ++at, &s->kind->columns[c], row->cells[c]);
  }
  char last[16];
  snprintf(last, sizeof(last), "?%d", at + 1);
  if (strstr(s->kind->put, last) != NULL)
    db_bind_int(stmt, at + 1, s->now);
  rc = db_exec(stmt, err);
  if (rc == 0 && s->kind->more != NULL)
    rc = s->kind->more(db, row, err);
  return rc;
}

static int store_rows(struct db *db, void *arg, struct tm_error *err)
{
  const struct storing *s = arg;
  int rc = 0;
  s->faults->n = 0; /* this may be the second run */
  for (size_t i = 0; rc == 0 && i < s->rows->len; i++)
    rc = check_references(db, s, &s->rows->list[i], err);
  if (rc == 0 && s->faults->n > 0)
    return -EBADMSG;
  if (rc == 0 && s->kind->clear != NULL)
    rc = db_run_one(db, s->kind->clear, err);
  for (size_t i = 0; rc == 0 && i < s->rows->len; i++) {
    rc = put_row(db, s, &s->rows->list[i], err);
    if (rc < 0 && rc != -EAGAIN)
      rc = faults_add(s->faults, s->rows, s->rows->list[i].line, "%s",
                      err != NULL ? err->text : "cannot be stored");
  }
  return rc;
}

/* --- a file ------------------------------------------------------------------------------- */

static int import_table(struct store *store, const struct kind *k, const char *path, int64_t now,
                        struct import_result *result, struct faults *faults, struct tm_error *err)
{
  const char *names[ROWS_COLUMNS + 1] = {NULL};
  struct rows rows = {0};
  for (size_t c = 0; k->columns[c].name != NULL; c++)
    names[c] = k->columns[c].name;
  int rc = rows_read(&rows, path, names, faults, err);
  if (rc == 0 || (rc == -EBADMSG && rows.len > 0)) {
    int checked = check_rows(k, &rows, faults, err);
    rc = rc < 0 ? rc : checked;
  }
  struct storing s = {.kind = k, .rows = &rows, .now = now, .faults = faults};
  if (rc == 0)
    rc = store_write(store, &db_everyone, store_rows, &s, err);
  result->rows = rows.len;
  rows_release(&rows);
  return rc;
}

int import_file(struct store *store, const char *kind, const char *path, int64_t now,
                const char *by, struct import_result *result, struct faults *faults,
                struct tm_error *err)
{
  static const char *const names[] = {"customers",   "staff",      "absences",
                                      "assignments", "catalogue",  "shops",
                                      "stock",       "lead-times", NULL};
  const struct kind *k = kind_of(kind);
  *result = (struct import_result){0};
  faults->n = 0;
  if (strcmp(kind, "catalogue") == 0)
    return import_catalogue(store, path, now, by, result, err);
  if (k == NULL) {
    const char *near = tm_text_nearest(kind, names);
    return tm_fail(err, -EINVAL, "'%.60s' cannot be imported%s%s; %s is wanted", kind,
                   near != NULL ? ", did you mean " : "", near != NULL ? near : "", import_kinds());
  }
  if (strcmp(kind, "shops") == 0) {
    int rc = import_shop_map(store, path, result, err);
    if (rc != -ENOMSG)
      return rc;
  }
  return import_table(store, k, path, now, result, faults, err);
}
