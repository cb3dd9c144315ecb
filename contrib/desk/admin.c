/* SPDX-License-Identifier: MIT */
#include "contrib/desk/desk.h"
#include "contrib/desk/http/workers.h"
#include "contrib/desk/http/server.h"
#include "contrib/desk/rooms.h"

#include <inttypes.h>

/* --- is it well? ------------------------------------------------------------------------------ */

static int ask_store(struct db *db, void *arg, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  (void)arg;
  int rc = db_prepare(db, "SELECT COUNT(*) FROM settings", &stmt, err);
  if (rc < 0)
    return rc;
  rc = db_step(stmt, err);
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

static int get_health(const struct request *r, struct response *to, struct tm_error *err)
{
  int rc = store_read(r->desk->store, &db_everyone, ask_store, NULL, err);
  json_t *model =
      json_pack("{s:s, s:s?, s:I}", "status", rc == 0 ? "ok" : "failed", "store",
                rc == 0 ? "ok" : err->text, "uptime_s", (json_int_t)(r->now - r->desk->started_at));
  rc = respond_json(r, to, rc == 0 ? 200 : 503, model, err);
  json_decref(model);
  return rc;
}

/* --- in figures ------------------------------------------------------------------------------- */

static int put(struct tm_buf *out, const char *name, const char *type, const char *help,
               uint64_t value)
{
  return tm_buf_printf(out,
                       "# TYPE tidemark_desk_%s %s\n# HELP tidemark_desk_%s %s\n"
                       "tidemark_desk_%s%s %" PRIu64 "\n",
                       name, type, name, help, name, type[0] == 'c' ? "_total" : "", value);
}

static int get_metrics(const struct request *r, struct response *to, struct tm_error *err)
{
  struct server_counts c;
  struct tm_buf *out = &to->body;
  server_count(r->desk->server, &c);
  const struct {
    const char *name, *type, *help;
    uint64_t value;
  } figures[] = {
      {"requests", "counter", "Whole requests that were given to a worker.", c.requests},
      {"refused", "counter", "Requests that the guard refused by their head.", c.refused},
      {"cut", "counter", "Connections cut because their time was over.", c.cut},
      {"turned_away", "counter", "Connections over the limit of their address.", c.turned_away},
      {"busy", "counter", "Requests answered 503 because too many were waiting.", c.busy},
      {"connections", "gauge", "Open connections.", c.connections},
      {"waiting", "gauge", "Requests that wait for a worker.", workers_waiting(r->desk->workers)},
      {"streams", "gauge", "Open streams of events.", topics_open(r->desk->topics)},
      {"start_time_seconds", "gauge", "When the desk was started.", (uint64_t)r->desk->started_at},
  };
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(figures) / sizeof(figures[0]); i++)
    rc = put(out, figures[i].name, figures[i].type, figures[i].help, figures[i].value);
  if (rc == 0)
    rc = tm_buf_puts(out, "# EOF\n");
  if (rc < 0)
    return tm_fail(err, rc, "the metrics are too long");
  to->status = 200;
  to->content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  return 0;
}

const struct route admin_routes[] = {
    {"GET", "/healthz", ROLE_NONE, 0, "Whether the desk and its store are well.", get_health},
    {"GET", "/metrics", ROLE_NONE, 0, "Figures in OpenMetrics.", get_metrics},
    {0},
};
