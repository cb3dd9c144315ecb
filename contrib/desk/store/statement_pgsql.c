/* SPDX-License-Identifier: MIT */
/* Statements of PostgreSQL: their parameters, rows and columns. */
#include "contrib/desk/store/db_pgsql_own.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARAMETERS = 64 };

/* The server's numbers of its types (pg_type.dat: they never change). */
enum {
  OID_BOOL = 16,
  OID_BYTEA = 17,
  OID_INT8 = 20,
  OID_INT2 = 21,
  OID_INT4 = 23,
  OID_TEXT = 25,
  OID_FLOAT4 = 700,
  OID_FLOAT8 = 701,
  OID_NUMERIC = 1700,
};

struct parameter {
  char number[32];
  char *data;        /* owned */
  const char *value; /* number or data; NULL is NULL */
  int len;
  bool binary;
};

struct pgsql_stmt {
  struct db_stmt base;
  char *sql;
  char name[24]; /* "": the server does not know it yet */
  int used;      /* the highest parameter that was bound */
  int known;     /* parameters that the statement has */
  Oid types[PARAMETERS], prepared[PARAMETERS];
  struct parameter parameters[PARAMETERS];
  PGresult *result; /* NULL before the first step */
  int row;
  unsigned char *blob; /* of the column that was asked for last, unescaped */
};

static struct pgsql_stmt *own_stmt(struct db_stmt *stmt)
{
  return (struct pgsql_stmt *)stmt;
}

/* --- statements --------------------------------------------------------------------------- */

/* The highest number of $N outside of quotes. */
static int count_parameters(const char *sql)
{
  int most = 0;
  char quote = '\0';
  for (const char *p = sql; *p != '\0'; p++) {
    if (quote != '\0')
      quote = *p == quote ? '\0' : quote;
    else if (*p == '\'' || *p == '"')
      quote = *p;
    else if (*p == '$' && strtol(p + 1, NULL, 10) > most)
      most = (int)strtol(p + 1, NULL, 10);
  }
  return most;
}

static int prepare(struct db *db, const char *sql, struct db_stmt **stmt, struct tm_error *err)
{
  struct pgsql_stmt *s = calloc(1, sizeof(*s));
  (void)db;
  if (s == NULL || (s->sql = strdup(sql)) == NULL) {
    free(s);
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  s->known = count_parameters(sql);
  *stmt = &s->base;
  return 0;
}

static void clear_parameters(struct pgsql_stmt *s)
{
  for (int i = 0; i < s->used; i++) {
    free(s->parameters[i].data);
    s->parameters[i].data = NULL;
    s->parameters[i].value = NULL;
    s->types[i] = 0;
  }
  s->used = 0;
}

static void reset(struct db_stmt *stmt)
{
  struct pgsql_stmt *s = own_stmt(stmt);
  PQclear(s->result);
  s->result = NULL;
  s->row = -1;
  free(s->blob);
  s->blob = NULL;
  clear_parameters(s);
}

/* What the server has prepared is left to it: where the connection lives on, statements are kept
 * for its whole life, spares of the rare nested ones apart. */
static void finalize(struct db_stmt *stmt)
{
  struct pgsql_stmt *s = own_stmt(stmt);
  reset(stmt);
  if (s->name[0] != '\0' && !db_pgsql_is_lost(stmt->db) &&
      PQtransactionStatus(pgsql_of(stmt->db)->conn) != PQTRANS_INERROR) {
    char sql[48];
    snprintf(sql, sizeof(sql), "DEALLOCATE %s", s->name);
    pgsql_run(stmt->db, sql, NULL);
  }
  free(s->sql);
  free(s);
}

static int bind(struct db_stmt *stmt, int at, Oid type, struct parameter **p)
{
  struct pgsql_stmt *s = own_stmt(stmt);
  if (at < 1 || at > PARAMETERS || at > s->known)
    return -EINVAL;
  *p = &s->parameters[at - 1];
  free((*p)->data);
  **p = (struct parameter){0};
  s->types[at - 1] = type;
  if (at > s->used)
    s->used = at;
  return 0;
}

static int bind_int(struct db_stmt *stmt, int at, const int64_t *value)
{
  struct parameter *p;
  int rc = bind(stmt, at, OID_INT8, &p);
  if (rc == 0 && value != NULL) {
    snprintf(p->number, sizeof(p->number), "%" PRId64, *value);
    p->value = p->number;
  }
  return rc;
}

static int bind_real(struct db_stmt *stmt, int at, const double *value)
{
  struct parameter *p;
  int rc = bind(stmt, at, OID_FLOAT8, &p);
  if (rc == 0 && value != NULL) {
    snprintf(p->number, sizeof(p->number), "%.17g", *value);
    p->value = p->number;
  }
  return rc;
}

static int bind_data(struct db_stmt *stmt, int at, enum db_type type, const void *data, size_t len)
{
  struct parameter *p;
  Oid oid = type == DB_TEXT ? OID_TEXT : type == DB_BLOB ? OID_BYTEA : 0;
  int rc = bind(stmt, at, oid, &p);
  if (rc < 0 || data == NULL)
    return rc;
  if (len > INT32_MAX)
    return -EFBIG;
  p->data = malloc(len + 1);
  if (p->data == NULL)
    return -ENOMEM;
  memcpy(p->data, data, len);
  p->data[len] = '\0';
  p->value = p->data;
  p->len = (int)len;
  p->binary = type == DB_BLOB;
  return 0;
}

/* Whether what the server prepared takes parameters of these types; a NULL of any type always. */
static bool is_prepared(const struct pgsql_stmt *s)
{
  if (s->name[0] == '\0')
    return false;
  for (int i = 0; i < s->used; i++) {
    if (s->types[i] != 0 && s->prepared[i] != s->types[i])
      return false;
  }
  return true;
}

/*
 * The server is told the types of what is bound, for a parameter that is only asked whether it is
 * NULL has none by itself. So it is prepared at the first step, and again when a parameter that had
 * no type gets one.
 */
static int prepare_there(struct pgsql_stmt *s, struct tm_error *err)
{
  struct pgsql_db *d = pgsql_of(s->base.db);
  for (int i = 0; i < PARAMETERS; i++) {
    if (s->types[i] != 0)
      s->prepared[i] = s->types[i];
  }
  snprintf(s->name, sizeof(s->name), "s%u", ++d->named);
  PGresult *result = PQprepare(d->conn, s->name, s->sql, s->used, s->prepared);
  int rc = PQresultStatus(result) == PGRES_COMMAND_OK
               ? 0
               : pgsql_fail(&d->base, result, s->base.copy, err);
  PQclear(result);
  if (rc < 0)
    s->name[0] = '\0';
  return rc;
}

static int execute(struct pgsql_stmt *s, struct tm_error *err)
{
  const char *values[PARAMETERS] = {0};
  int lengths[PARAMETERS] = {0}, formats[PARAMETERS] = {0};
  int rc = is_prepared(s) ? 0 : prepare_there(s, err);
  if (rc < 0)
    return rc;
  for (int i = 0; i < s->used; i++) {
    values[i] = s->parameters[i].value;
    lengths[i] = s->parameters[i].len;
    formats[i] = s->parameters[i].binary;
  }
  s->result =
      PQexecPrepared(pgsql_of(s->base.db)->conn, s->name, s->known, values, lengths, formats, 0);
  ExecStatusType status = PQresultStatus(s->result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    return pgsql_fail(s->base.db, s->result, s->base.copy, err);
  s->base.changes = strtoll(PQcmdTuples(s->result), NULL, 10);
  return 0;
}

static int step(struct db_stmt *stmt, struct tm_error *err)
{
  struct pgsql_stmt *s = own_stmt(stmt);
  if (s->result == NULL) {
    int rc = execute(s, err);
    if (rc < 0)
      return rc;
    s->row = -1;
  }
  if (s->row + 1 >= PQntuples(s->result))
    return 0;
  s->row++;
  return 1;
}

void pgsql_forget_statements(struct db *db)
{
  for (struct db_stmt *s = db->cache; s != NULL; s = s->hh.next)
    own_stmt(s)->name[0] = '\0';
}

/* --- columns ------------------------------------------------------------------------------ */

static const char *value_of(struct db_stmt *stmt, int column)
{
  return PQgetvalue(own_stmt(stmt)->result, own_stmt(stmt)->row, column);
}

static int columns(struct db_stmt *stmt)
{
  return PQnfields(own_stmt(stmt)->result);
}

static const char *column_name(struct db_stmt *stmt, int column)
{
  return PQfname(own_stmt(stmt)->result, column);
}

static enum db_type column_type(struct db_stmt *stmt, int column)
{
  struct pgsql_stmt *s = own_stmt(stmt);
  if (s->row < 0 || PQgetisnull(s->result, s->row, column))
    return DB_NULL;
  switch (PQftype(s->result, column)) {
  case OID_BOOL:
  case OID_INT2:
  case OID_INT4:
  case OID_INT8:
    return DB_INT;
  case OID_FLOAT4:
  case OID_FLOAT8:
    return DB_REAL;
  case OID_NUMERIC: /* sum() of whole numbers is one */
    return strpbrk(value_of(stmt, column), ".eN") == NULL ? DB_INT : DB_REAL;
  case OID_BYTEA:
    return DB_BLOB;
  default:
    return DB_TEXT;
  }
}

static int64_t column_int(struct db_stmt *stmt, int column)
{
  const char *text = value_of(stmt, column);
  if (text[0] == 't' || text[0] == 'f')
    return text[0] == 't';
  return column_type(stmt, column) == DB_REAL ? (int64_t)strtod(text, NULL)
                                              : strtoll(text, NULL, 10);
}

static double column_real(struct db_stmt *stmt, int column)
{
  return strtod(value_of(stmt, column), NULL);
}

static const void *column_blob(struct db_stmt *stmt, int column, size_t *len)
{
  struct pgsql_stmt *s = own_stmt(stmt);
  if (PQftype(s->result, column) != OID_BYTEA) {
    *len = (size_t)PQgetlength(s->result, s->row, column);
    return value_of(stmt, column);
  }
  /* Its own memory, as libpq gives it; another column's stays until the next one is asked for. */
  size_t size = (size_t)PQgetlength(s->result, s->row, column);
  const char *hex = value_of(stmt, column);
  free(s->blob);
  s->blob = malloc(size / 2 + 1);
  if (s->blob == NULL || size < 2 || hex[0] != '\\')
    return "";
  for (const char *p = hex + 2; p + 1 < hex + size; p += 2) {
    unsigned high = (unsigned)(p[0] <= '9' ? p[0] - '0' : p[0] - 'a' + 10);
    unsigned low = (unsigned)(p[1] <= '9' ? p[1] - '0' : p[1] - 'a' + 10);
    s->blob[(*len)++] = (unsigned char)(high << 4 | low);
  }
  return s->blob;
}

const struct db_engine pgsql_engine = {
    .name = "pgsql",
    .prepare = prepare,
    .finalize = finalize,
    .bind_int = bind_int,
    .bind_real = bind_real,
    .bind_data = bind_data,
    .step = step,
    .reset = reset,
    .columns = columns,
    .column_name = column_name,
    .column_type = column_type,
    .column_int = column_int,
    .column_real = column_real,
    .column_text = value_of,
    .column_blob = column_blob,
    .run = pgsql_run,
    .scope = pgsql_scope,
};
