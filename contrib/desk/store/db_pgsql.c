/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/db_pgsql.h"

#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdio.h>
#include <sodium.h>
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

struct pgsql_db {
  struct db base;
  PGconn *conn;
  uint64_t transaction;
  unsigned named; /* statements so far: each has a name of its own */
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

static struct pgsql_db *own(const struct db *db)
{
  return (struct pgsql_db *)db;
}

static struct pgsql_stmt *own_stmt(struct db_stmt *stmt)
{
  return (struct pgsql_stmt *)stmt;
}

/* --- failures ----------------------------------------------------------------------------- */

bool db_pgsql_is_lost(const struct db *db)
{
  return PQstatus(own(db)->conn) != CONNECTION_OK;
}

struct pg_conn *db_pgsql_connection(const struct db *db)
{
  return own(db)->conn;
}

static int code_of(const struct db *db, const char *state)
{
  if (db_pgsql_is_lost(db) || state == NULL)
    return -EAGAIN;
  if (strcmp(state, "23505") == 0)
    return -EEXIST;
  if (strncmp(state, "40", 2) == 0 || strncmp(state, "08", 2) == 0 ||
      strncmp(state, "57P", 3) == 0 || strcmp(state, "55P03") == 0)
    return -EAGAIN; /* serialization, deadlock, shutting down, a lock that was not had */
  if (strcmp(state, "53100") == 0)
    return -ENOSPC;
  if (strcmp(state, "42501") == 0)
    return -EACCES;
  return -EIO;
}

/* libpq's messages have several lines and end with one: the first says what. */
static int fail(const struct db *db, const PGresult *result, const char *what, struct tm_error *err)
{
  const char *text = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
  if (text == NULL)
    text = PQerrorMessage(own(db)->conn);
  int code = code_of(db, result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL);
  return tm_fail(err, code, "%.60s: %.*s", what, (int)strcspn(text, "\n"), text);
}

static int run(struct db *db, const char *sql, struct tm_error *err)
{
  PGresult *result = PQexec(own(db)->conn, sql);
  ExecStatusType status = PQresultStatus(result);
  int rc = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : fail(db, result, sql, err);
  PQclear(result);
  return rc;
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
      PQtransactionStatus(own(stmt->db)->conn) != PQTRANS_INERROR) {
    char sql[48];
    snprintf(sql, sizeof(sql), "DEALLOCATE %s", s->name);
    run(stmt->db, sql, NULL);
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
  struct pgsql_db *d = own(s->base.db);
  for (int i = 0; i < PARAMETERS; i++) {
    if (s->types[i] != 0)
      s->prepared[i] = s->types[i];
  }
  snprintf(s->name, sizeof(s->name), "s%u", ++d->named);
  PGresult *result = PQprepare(d->conn, s->name, s->sql, s->used, s->prepared);
  int rc =
      PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : fail(&d->base, result, s->base.copy, err);
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
  s->result = PQexecPrepared(own(s->base.db)->conn, s->name, s->known, values, lengths, formats, 0);
  ExecStatusType status = PQresultStatus(s->result);
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    return fail(s->base.db, s->result, s->base.copy, err);
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

/* --- scope -------------------------------------------------------------------------------- */

static int scope(struct db *db, struct tm_error *err)
{
  const char *values[] = {!db->scoped ? "none"
                          : db->all   ? "all"
                                      : "customer",
                          db->customer != NULL ? db->customer : ""};
  static const char sql[] = "SELECT set_config('tidemark.scope', $1, true),"
                            " set_config('tidemark.customer', $2, true)";
  PGresult *result = PQexecParams(own(db)->conn, sql, 2, NULL, values, NULL, NULL, 0);
  int rc = PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : fail(db, result, "scope", err);
  PQclear(result);
  return rc;
}

static const struct db_engine engine = {
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
    .run = run,
    .scope = scope,
};

/* --- connections -------------------------------------------------------------------------- */

static void no_notice(void *arg, const PGresult *result)
{
  (void)arg;
  (void)result;
}

/* A desk that could see past the policies would make them worth nothing. */
static int check_role(struct db *db, struct tm_error *err)
{
  PGresult *result =
      PQexec(own(db)->conn, "SELECT rolname FROM pg_roles WHERE rolname = current_user"
                            " AND (rolsuper OR rolbypassrls)");
  int rc = PQresultStatus(result) != PGRES_TUPLES_OK ? fail(db, result, "pg_roles", err) : 0;
  if (rc == 0 && PQntuples(result) > 0)
    rc = tm_fail(err, -EPERM,
                 "role %.60s passes by row-level security; the desk wants one that does not:"
                 " CREATE ROLE tidemark LOGIN NOSUPERUSER NOBYPASSRLS",
                 PQgetvalue(result, 0, 0));
  PQclear(result);
  return rc;
}

int db_pgsql_open(struct db **db, const char *url, const char *password, struct tm_error *err)
{
  /* The url comes first and what stands behind it outranks it; an empty password does not. */
  const char *const keys[] = {"connect_timeout", "keepalives_idle", "dbname", "application_name",
                              "client_encoding", "password",        NULL};
  const char *const values[] = {"5", "60", url, "tidemark-desk", "UTF8", password, NULL};
  struct pgsql_db *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  d->base.engine = &engine;
  d->conn = PQconnectdbParams(keys, values, 1);
  int rc = 0;
  if (PQstatus(d->conn) != CONNECTION_OK) {
    const char *text = PQerrorMessage(d->conn);
    rc = tm_fail(err, -EAGAIN, "%.*s", (int)strcspn(text, "\n"), text);
  }
  if (rc == 0) {
    PQsetNoticeReceiver(d->conn, no_notice, NULL);
    rc = run(&d->base,
             "SET synchronous_commit = on; SET statement_timeout = '120s';"
             "SET idle_in_transaction_session_timeout = '120s'; SET TimeZone = 'UTC';"
             "SET DateStyle = 'ISO'; SET bytea_output = 'hex';"
             "SET standard_conforming_strings = on; SET plan_cache_mode = 'auto'",
             err);
  }
  if (rc == 0)
    rc = check_role(&d->base, err);
  if (rc < 0) {
    db_pgsql_close(&d->base);
    return rc;
  }
  *db = &d->base;
  return 0;
}

void db_pgsql_close(struct db *db)
{
  if (db == NULL)
    return;
  PGconn *conn = own(db)->conn;
  /* Statements end with their connection: nothing is sent for each. */
  for (struct db_stmt *s = db->cache; s != NULL; s = s->hh.next)
    own_stmt(s)->name[0] = '\0';
  db_release(db);
  PQfinish(conn);
  free(db);
}

/* --- transactions ------------------------------------------------------------------------- */

int db_pgsql_begin(struct db *db, bool writes, struct tm_error *err)
{
  struct pgsql_db *d = own(db);
  d->transaction = 0;
  if (!writes)
    return run(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
  randombytes_buf(&d->transaction, sizeof(d->transaction));
  d->transaction = (d->transaction >> 1) | 1;
  return run(db, "BEGIN ISOLATION LEVEL SERIALIZABLE", err);
}

uint64_t db_pgsql_transaction(const struct db *db)
{
  return own(db)->transaction;
}

#define INSERT_OUTCOME                                                                             \
  "INSERT INTO outcomes (token, at) VALUES (%" PRIu64 ", EXTRACT(EPOCH FROM now())::bigint)"

int db_pgsql_commit(struct db *db, struct tm_error *err)
{
  char sql[200] = "COMMIT";
  if (own(db)->transaction != 0)
    snprintf(sql, sizeof(sql), INSERT_OUTCOME "; COMMIT", own(db)->transaction);
  PGresult *result = PQexec(own(db)->conn, sql);
  int rc = PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : fail(db, result, "COMMIT", err);
  if (rc == 0 && strcmp(PQcmdStatus(result), "COMMIT") != 0)
    rc = tm_fail(err, -EIO, "the server undid what was to be kept");
  PQclear(result);
  return rc;
}

void db_pgsql_rollback(struct db *db)
{
  if (!db_pgsql_is_lost(db) && PQtransactionStatus(own(db)->conn) != PQTRANS_IDLE)
    run(db, "ROLLBACK", NULL);
}

int db_pgsql_outcome(struct db *db, uint64_t transaction, enum outcome *out, struct tm_error *err)
{
  char sql[200];
  snprintf(sql, sizeof(sql), INSERT_OUTCOME " ON CONFLICT DO NOTHING", transaction);
  PGresult *result = PQexec(own(db)->conn, sql);
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  int rc = 0;
  if (PQresultStatus(result) == PGRES_COMMAND_OK)
    *out = strcmp(PQcmdTuples(result), "0") == 0 ? OUTCOME_COMMITTED : OUTCOME_ABORTED;
  else if (state != NULL && (strcmp(state, "55P03") == 0 || strcmp(state, "57014") == 0))
    *out = OUTCOME_RUNNING; /* waited for it long enough */
  else
    rc = fail(db, result, "outcomes", err);
  PQclear(result);
  return rc;
}
