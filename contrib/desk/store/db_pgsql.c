/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/db_pgsql_own.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* --- failures ----------------------------------------------------------------------------- */

bool db_pgsql_is_lost(const struct db *db)
{
  return PQstatus(pgsql_of(db)->conn) != CONNECTION_OK;
}

struct pg_conn *db_pgsql_connection(const struct db *db)
{
  return pgsql_of(db)->conn;
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
    return -EPERM; /* not -EACCES, which is said of who asks */
  return -EIO;
}

/* libpq's messages have several lines and end with one: the first says what. */
int pgsql_fail(const struct db *db, const PGresult *result, const char *what, struct tm_error *err)
{
  const char *text = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
  if (text == NULL)
    text = PQerrorMessage(pgsql_of(db)->conn);
  int code = code_of(db, result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL);
  return tm_fail(err, code, "%.60s: %.*s", what, (int)strcspn(text, "\n"), text);
}

int pgsql_run(struct db *db, const char *sql, struct tm_error *err)
{
  PGresult *result = PQexec(pgsql_of(db)->conn, sql);
  ExecStatusType status = PQresultStatus(result);
  int rc = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
               ? 0
               : pgsql_fail(db, result, sql, err);
  PQclear(result);
  return rc;
}

/* --- scope -------------------------------------------------------------------------------- */

int pgsql_scope(struct db *db, struct tm_error *err)
{
  const char *values[] = {!db->scoped ? "none"
                          : db->all   ? "all"
                                      : "customer",
                          db->customer != NULL ? db->customer : ""};
  static const char sql[] = "SELECT set_config('tidemark.scope', $1, true),"
                            " set_config('tidemark.customer', $2, true)";
  PGresult *result = PQexecParams(pgsql_of(db)->conn, sql, 2, NULL, values, NULL, NULL, 0);
  int rc = PQresultStatus(result) == PGRES_TUPLES_OK ? 0 : pgsql_fail(db, result, "scope", err);
  PQclear(result);
  return rc;
}

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
      PQexec(pgsql_of(db)->conn, "SELECT rolname FROM pg_roles WHERE rolname = current_user"
                                 " AND (rolsuper OR rolbypassrls)");
  int rc = PQresultStatus(result) != PGRES_TUPLES_OK ? pgsql_fail(db, result, "pg_roles", err) : 0;
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
  /* What a server that is gone without a word is given, ms for tcp_user_timeout, else s. The url
   * comes next: what stands behind it outranks it; an empty password does not. */
  const char *const keys[] = {"connect_timeout",  "keepalives_idle", "keepalives_interval",
                              "tcp_user_timeout", "dbname",          "application_name",
                              "client_encoding",  "password",        NULL};
  const char *const values[] = {"5",    "10",     "5", "20000", url, "tidemark-desk",
                                "UTF8", password, NULL};
  struct pgsql_db *d = calloc(1, sizeof(*d));
  if (d == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  d->base.engine = &pgsql_engine;
  d->conn = PQconnectdbParams(keys, values, 1);
  int rc = 0;
  if (PQstatus(d->conn) != CONNECTION_OK) {
    const char *text = PQerrorMessage(d->conn);
    rc = tm_fail(err, -EAGAIN, "%.*s", (int)strcspn(text, "\n"), text);
  }
  if (rc == 0) {
    PQsetNoticeReceiver(d->conn, no_notice, NULL);
    rc = pgsql_run(&d->base,
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
  PGconn *conn = pgsql_of(db)->conn;
  pgsql_forget_statements(db);
  db_release(db);
  PQfinish(conn);
  free(db);
}

/* --- transactions ------------------------------------------------------------------------- */

int db_pgsql_begin(struct db *db, bool writes, struct tm_error *err)
{
  struct pgsql_db *d = pgsql_of(db);
  d->transaction = 0;
  if (!writes)
    return pgsql_run(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
  randombytes_buf(&d->transaction, sizeof(d->transaction));
  d->transaction = (d->transaction >> 1) | 1;
  return pgsql_run(db, "BEGIN ISOLATION LEVEL SERIALIZABLE", err);
}

uint64_t db_pgsql_transaction(const struct db *db)
{
  return pgsql_of(db)->transaction;
}

#define INSERT_OUTCOME                                                                             \
  "INSERT INTO outcomes (token, at) VALUES (%" PRIu64 ", EXTRACT(EPOCH FROM now())::bigint)"

int db_pgsql_commit(struct db *db, struct tm_error *err)
{
  char sql[200] = "COMMIT";
  if (pgsql_of(db)->transaction != 0)
    snprintf(sql, sizeof(sql), INSERT_OUTCOME "; COMMIT", pgsql_of(db)->transaction);
  PGresult *result = PQexec(pgsql_of(db)->conn, sql);
  int rc = PQresultStatus(result) == PGRES_COMMAND_OK ? 0 : pgsql_fail(db, result, "COMMIT", err);
  if (rc == 0 && strcmp(PQcmdStatus(result), "COMMIT") != 0)
    rc = tm_fail(err, -EIO, "the server undid what was to be kept");
  PQclear(result);
  return rc;
}

void db_pgsql_rollback(struct db *db)
{
  if (!db_pgsql_is_lost(db) && PQtransactionStatus(pgsql_of(db)->conn) != PQTRANS_IDLE)
    pgsql_run(db, "ROLLBACK", NULL);
}

int db_pgsql_outcome(struct db *db, uint64_t transaction, enum outcome *out, struct tm_error *err)
{
  char sql[200];
  snprintf(sql, sizeof(sql), INSERT_OUTCOME " ON CONFLICT DO NOTHING", transaction);
  PGresult *result = PQexec(pgsql_of(db)->conn, sql);
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  int rc = 0;
  if (PQresultStatus(result) == PGRES_COMMAND_OK)
    *out = strcmp(PQcmdTuples(result), "0") == 0 ? OUTCOME_COMMITTED : OUTCOME_ABORTED;
  else if (state != NULL && (strcmp(state, "55P03") == 0 || strcmp(state, "57014") == 0))
    *out = OUTCOME_RUNNING; /* waited for it long enough */
  else
    rc = pgsql_fail(db, result, "outcomes", err);
  PQclear(result);
  return rc;
}
