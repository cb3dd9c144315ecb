/* SPDX-License-Identifier: MIT */
/* LISTEN: what other desks on this server say. */
#include "contrib/desk/store/db_pgsql.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

int db_pgsql_listen(struct db *db, const char *channel, struct tm_error *err)
{
  char sql[80];
  snprintf(sql, sizeof(sql), "LISTEN %s", channel);
  return db->engine->run(db, sql, err);
}

static int lost(PGconn *conn, struct tm_error *err)
{
  const char *text = PQerrorMessage(conn);
  return tm_fail(err, -EAGAIN, "%.*s", (int)strcspn(text, "\n"), text);
}

static bool pass_on(PGconn *conn, void (*heard)(void *user, const char *text), void *user)
{
  bool any = false;
  PGnotify *n;
  while ((n = PQnotifies(conn)) != NULL) {
    any = true;
    heard(user, n->extra);
    PQfreemem(n);
  }
  return any;
}

int db_pgsql_hear(struct db *db, int wait_ms, void (*heard)(void *user, const char *text),
                  void *user, struct tm_error *err)
{
  PGconn *conn = db_pgsql_connection(db);
  struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
  /* Some may have come with the answer to LISTEN. */
  if (pass_on(conn, heard, user))
    return 0;
  if (fd.fd < 0)
    return lost(conn, err);
  int rc = poll(&fd, 1, wait_ms);
  if (rc < 0)
    return errno == EINTR ? 0 : tm_fail(err, -errno, "poll: %s", strerror(errno));
  if (rc > 0 && PQconsumeInput(conn) == 0)
    return lost(conn, err);
  pass_on(conn, heard, user);
  return 0;
}
