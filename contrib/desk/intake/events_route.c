/* SPDX-License-Identifier: MIT */
#include "contrib/desk/rooms.h"

#include "contrib/desk/desk.h"
#include "contrib/desk/intake/event.h"
#include "contrib/desk/intake/intake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 8 << 20 };

/* True for "application/cloudevents-batch+json", whatever stands behind it. */
static bool is_type(const char *value, const char *type)
{
  size_t n = strlen(type);
  return value != NULL && strncasecmp(value, type, n) == 0 &&
         (value[n] == '\0' || value[n] == ';' || value[n] == ' ');
}

static int sign_answer(const struct credential *to, const char *id, int64_t now,
                       struct response *answer, struct tm_error *err)
{
  char signature[TM_SIGNATURE_SIZE], timestamp[32];
  struct tm_secret secret;
  int rc = tm_secret_parse(&secret, to->secret, err);
  if (rc < 0)
    return rc;
  tm_sign(signature, &secret, id, now, answer->body.ptr, answer->body.len);
  tm_secret_release(&secret);
  snprintf(timestamp, sizeof(timestamp), "%lld", (long long)now);
  rc = respond_header(answer, "webhook-id", id);
  if (rc == 0)
    rc = respond_header(answer, "webhook-timestamp", timestamp);
  if (rc == 0)
    rc = respond_header(answer, "webhook-signature", signature);
  if (rc == 0)
    rc = respond_header(answer, "Cache-Control", "no-store");
  return rc;
}

/* 401 makes a site stop sending and tell its administrator; with our Date beside it, which the
 * server writes, it can tell that its clock is wrong. */
static int refuse(const struct request *r, struct response *to, int code,
                  const struct tm_error *err)
{
  int status = code == -EACCES || code == -ETIME    ? 401
               : code == -EBADMSG                   ? 400
               : code == -E2BIG                     ? 413
               : code == -EAGAIN || code == -ENOSPC ? 503
                                                    : 500;
  if (status == 503)
    respond_header(to, "Retry-After", "30");
  return respond_error(r, to, status, NULL, err->text);
}

static int take(const struct request *r, struct response *to, bool batch, struct tm_error *err)
{
  const struct intake_message m = {
      .id = request_header(r, "webhook-id"),
      .timestamp = request_header(r, "webhook-timestamp"),
      .signature = request_header(r, "webhook-signature"),
      .body = r->body,
      .len = r->body_len,
      .batch = batch,
  };
  struct store *store = r->desk->store;
  struct intake_counts counts = {0};
  struct credential from;
  struct tm_error why = {0};
  int rc = credential_by_id(store, r->visitor->credential, r->now, &from, &why);
  if (rc == -ENOENT)
    rc = tm_fail(&why, -EACCES, "the credential is not valid any more");
  if (rc == 0)
    rc = intake_verify(&m, &from, r->now, true, &why);
  if (rc == 0)
    rc = intake_take(store, &from, &m, r->now, &to->body, &counts, &why);
  if (rc < 0)
    return refuse(r, to, rc, &why);
  to->status = 200;
  to->content_type = "application/json";
  return sign_answer(&from, m.id, r->now, to, err);
}

static int post_events(const struct request *r, struct response *to, struct tm_error *err)
{
  const char *type = request_header(r, "content-type");
  bool batch = is_type(type, "application/cloudevents-batch+json");
  if (!batch && !is_type(type, "application/cloudevents+json"))
    return respond_error(r, to, 415, "Content-Type",
                         "application/cloudevents+json or application/cloudevents-batch+json is"
                         " wanted");
  if (r->body_len == 0)
    return respond_error(r, to, 400, NULL, "an event is wanted");
  return take(r, to, batch, err);
}

static int get_events(const struct request *r, struct response *to, struct tm_error *err)
{
  return take(r, to, false, err);
}

const struct route intake_routes[] = {
    {"POST", "/api/v1/events", ROLE_SITE, BODY_MAX,
     "Takes CloudEvents of a site, one or a batch, and answers with a signed receipt.",
     post_events},
    {"GET", "/api/v1/events", ROLE_SITE, 0,
     "Tells a site which data items are asked of it, in a signed answer.", get_events},
    {0},
};
