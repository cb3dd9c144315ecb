/* SPDX-License-Identifier: MIT */
/* One document of a Redfish service: limits, login, each path once. */
#include "common/json.h"
#include "plugins/source/redfish_value.h"
#include "plugins/source/redfish_walk.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SESSIONS "/redfish/v1/SessionService/Sessions"

/* --- limits ------------------------------------------------------------------------------- */

/* 0 the first time, -EALREADY after it. With its query, by which pages of a collection differ. */
static int see(struct redfish_walk *w, const char *url)
{
  if (w->seen == NULL)
    w->seen = json_object();
  if (json_object_get(w->seen, url) != NULL)
    return -EALREADY;
  return json_object_set_new(w->seen, url, json_true()) == 0 ? 0 : -ENOMEM;
}

void redfish_walk_release(struct redfish_walk *w)
{
  json_decref(w->seen);
  json_decref(w->drives);
  w->seen = w->drives = NULL;
  redfish_tree_release(&w->tree);
}

/* --- login -------------------------------------------------------------------------------- */

static void wipe(char **secret)
{
  if (*secret != NULL)
    sodium_memzero(*secret, strlen(*secret));
  free(*secret);
  *secret = NULL;
}

static int use_basic(struct redfish_walk *w, struct tm_error *err)
{
  const struct credential *c = w->web->credential;
  char *plain = NULL;
  int n = asprintf(&plain, "%s:%s", c->user, c->password != NULL ? c->password : "");
  if (n < 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  size_t size = sodium_base64_encoded_len((size_t)n, sodium_base64_VARIANT_ORIGINAL);
  char *line = malloc(size + 32);
  if (line != NULL) {
    int start = snprintf(line, 32, "Authorization: Basic ");
    sodium_bin2base64(line + start, size, (const unsigned char *)plain, (size_t)n,
                      sodium_base64_VARIANT_ORIGINAL);
  }
  wipe(&plain);
  wipe(&w->lane->authorization);
  w->lane->authorization = line;
  return line != NULL ? 0 : tm_fail(err, -ENOMEM, "out of memory");
}

/* The session's own URL comes as Location, or only within the body. */
static void keep_session_url(struct redfish_lane *lane, const struct tm_http_reply *reply)
{
  char location[512];
  free(lane->session);
  lane->session = NULL;
  if (tm_http_header(reply, "Location", location, sizeof(location)) != NULL) {
    tm_http_resolve(lane->http, location, &lane->session, NULL);
    return;
  }
  json_t *doc = reply->body.ptr != NULL
                    ? tm_json_parse(reply->body.ptr, reply->body.len, "session", NULL)
                    : NULL;
  const char *id = tm_json_get_string(doc, "@odata.id");
  if (id != NULL)
    tm_http_resolve(lane->http, id, &lane->session, NULL);
  json_decref(doc);
}

static int keep_session(struct redfish_walk *w, const struct tm_http_reply *reply,
                        struct tm_error *err)
{
  char token[1024];
  if (tm_http_header(reply, "X-Auth-Token", token, sizeof(token)) == NULL)
    return tm_fail(err, -EBADMSG, "%s: the login gave no token", w->web->name);
  wipe(&w->lane->authorization);
  if (asprintf(&w->lane->authorization, "X-Auth-Token: %s", token) < 0)
    w->lane->authorization = NULL;
  sodium_memzero(token, sizeof(token));
  keep_session_url(w->lane, reply);
  return w->lane->authorization != NULL ? 0 : tm_fail(err, -ENOMEM, "out of memory");
}

static int open_session(struct redfish_walk *w, struct tm_error *err)
{
  static const char *const headers[] = {"Content-Type: application/json", "OData-Version: 4.0",
                                        "Accept: application/json", NULL};
  const struct credential *c = w->web->credential;
  struct tm_http_reply reply = {0};
  char *body = NULL;
  long timeout = web_timeout_ms(w->job, err);
  json_t *o = json_pack("{s:s, s:s}", "UserName", c->user, "Password",
                        c->password != NULL ? c->password : "");
  if (o != NULL)
    body = json_dumps(o, JSON_COMPACT);
  json_decref(o);
  int rc = timeout < 0 ? (int)timeout : 0;
  if (body == NULL)
    rc = tm_fail(err, -EINVAL, "%s: user or password is not UTF-8", w->web->name);
  if (rc == 0 && body != NULL) {
    struct tm_http_request q = {.method = "POST",
                                .url = SESSIONS,
                                .headers = headers,
                                .body = body,
                                .body_len = strlen(body),
                                .timeout_ms = timeout};
    rc = tm_http_do(w->lane->http, &q, &reply, err);
  }
  wipe(&body);
  if (rc == 0 && (reply.status == 404 || reply.status == 405 || reply.status == 501))
    rc = use_basic(w, err); /* a service without sessions */
  else if (rc == 0 && (reply.status < 200 || reply.status > 299))
    rc = tm_fail(err, -EACCES, "%s: refused the login of user \"%s\" (%ld)", w->web->name, c->user,
                 reply.status);
  else if (rc == 0)
    rc = keep_session(w, &reply, err);
  if (reply.headers.ptr != NULL)
    sodium_memzero(reply.headers.ptr, reply.headers.len);
  tm_http_reply_release(&reply);
  return rc;
}

/* 0 when there is something to send now. */
static int login(struct redfish_walk *w, struct tm_error *err)
{
  const struct credential *c = w->web->credential;
  if (w->login_failed)
    return -EACCES;
  w->login_failed = true; /* unless it goes well */
  if (c == NULL || c->user == NULL)
    return tm_fail(err, -EACCES, "%s: wants a login, and the credentials name no user for it",
                   w->web->name);
  if (!web_may_login(w->web))
    return tm_fail(err, -EACCES, "%s: a password is not sent without TLS (plain = true allows it)",
                   w->web->name);
  int rc = c->login != NULL && strcasecmp(c->login, "basic") == 0 ? use_basic(w, err)
                                                                  : open_session(w, err);
  w->login_failed = rc < 0;
  return rc;
}

void redfish_lane_release(struct redfish_lane *lane)
{
  struct tm_http_reply reply = {0};
  if (lane->http != NULL && lane->session != NULL && lane->authorization != NULL) {
    const char *const headers[] = {lane->authorization, NULL};
    struct tm_http_request q = {
        .method = "DELETE", .url = lane->session, .headers = headers, .timeout_ms = 1000};
    tm_http_do(lane->http, &q, &reply, NULL); /* the service forgets it by itself too */
  }
  tm_http_reply_release(&reply);
  wipe(&lane->authorization);
  free(lane->session);
  tm_http_free(lane->http);
  *lane = (struct redfish_lane){0};
}

/* --- one document ------------------------------------------------------------------------- */

static int request(struct redfish_walk *w, const char *url, struct tm_http_reply *reply,
                   struct tm_error *err)
{
  const char *headers[] = {"Accept: application/json", "OData-Version: 4.0", w->lane->authorization,
                           NULL};
  long timeout = web_timeout_ms(w->job, err);
  if (timeout < 0)
    return tm_fail(err, (int)timeout, "%s: the walk was not finished in time", w->web->name);
  struct tm_http_request q = {.url = url, .headers = headers, .timeout_ms = timeout};
  return tm_http_do(w->lane->http, &q, reply, err);
}

/* The first 401 of a walk is the end of the session, or the wish for a login. */
static int request_logged_in(struct redfish_walk *w, const char *url, struct tm_http_reply *reply,
                             struct tm_error *err)
{
  const struct credential *c = w->web->credential;
  int rc = 0;
  /* Basic is sent at once: nobody has to ask for it. */
  if (w->lane->authorization == NULL && c != NULL && c->user != NULL && c->login != NULL &&
      strcasecmp(c->login, "basic") == 0)
    rc = login(w, err);
  if (rc == 0)
    rc = request(w, url, reply, err);
  if (rc == 0 && reply->status == 401 && !w->login_failed) {
    rc = login(w, err);
    if (rc == 0)
      rc = request(w, url, reply, err);
    w->login_failed = true; /* once is enough */
  }
  return rc;
}

static int take_document(struct redfish_walk *w, const char *path,
                         const struct tm_http_reply *reply, json_t **doc, struct tm_error *err)
{
  char name[256];
  int rc = tm_http_require_success(w->lane->http, reply, err);
  if (rc < 0)
    return rc;
  w->bytes += reply->body.len;
  if (w->bytes > REDFISH_BYTES_MAX)
    return tm_fail(err, -EFBIG, "%s: more than %zu MiB of documents", w->web->name,
                   REDFISH_BYTES_MAX >> 20);
  snprintf(name, sizeof(name), "%s%s", w->web->name, path);
  json_t *o =
      reply->body.ptr != NULL ? tm_json_parse(reply->body.ptr, reply->body.len, name, err) : NULL;
  if (o == NULL && reply->body.ptr != NULL)
    return -EBADMSG;
  if (!json_is_object(o)) {
    json_decref(o);
    return tm_fail(err, -EBADMSG, "%s: not a JSON object", name);
  }
  *doc = o;
  return 0;
}

int redfish_get(struct redfish_walk *w, const char *link, json_t **doc, char **path,
                struct tm_error *err)
{
  struct tm_http_reply reply = {0};
  char *url = NULL;
  char *own = NULL;
  int rc = web_connect(w->web, &w->lane->http, err);
  if (rc == 0)
    rc = tm_http_resolve(w->lane->http, link, &url, err);
  if (rc < 0)
    goto out;
  own = redfish_path(url);
  rc = own == NULL ? -ENOMEM : see(w, url);
  if (rc == -ENOMEM)
    tm_fail(err, rc, "out of memory");
  if (rc < 0)
    goto out;
  if (++w->documents > REDFISH_DOCUMENTS_MAX) {
    rc = tm_fail(err, -EFBIG, "%s: more than %d documents", w->web->name, REDFISH_DOCUMENTS_MAX);
    goto out;
  }
  rc = request_logged_in(w, url, &reply, err);
  if (rc == 0)
    rc = take_document(w, own, &reply, doc, err);
  if (rc == 0) {
    *path = own;
    own = NULL;
  }
out:
  tm_http_reply_release(&reply);
  free(url);
  free(own);
  return rc;
}
