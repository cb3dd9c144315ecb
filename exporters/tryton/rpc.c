/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/rpc.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/http.h"
#include "common/json.h"
#include "common/json_memory.h"
#include "exporters/tryton/answer.h"
#include "exporters/tryton/call_show.h"
#include "exporters/tryton/value.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ANSWER = 64 << 20, MAX_PASSWORD = 1024, MAX_SESSION = 2048 };

struct tryton_rpc {
  struct tm_http *http;
  char *user;
  struct tm_buf password;
  char *authorization; /* the whole header; NULL: not logged in */
  json_t *context;     /* what every call carries; NULL before the first login */
  json_int_t user_id, company;
  int64_t retry_after_s;
  bool only_show;
};

static void wipe(char *text)
{
  if (text != NULL)
    explicit_bzero(text, strlen(text));
  free(text);
}

int tryton_rpc_new(struct tryton_rpc **rpc, const struct tryton_options *options,
                   struct tm_error *err)
{
  struct tryton_rpc *r = calloc(1, sizeof(*r));
  if (r == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  *r = (struct tryton_rpc){.password = TM_BUF_INIT(MAX_PASSWORD),
                           .user_id = -1,
                           .company = -1,
                           .retry_after_s = -1,
                           .user = strdup(options->user)};
  long ms = (long)options->timeout_s * 1000;
  struct tm_http_options http = {.timeout_ms = ms,
                                 .connect_timeout_ms = ms > 10000 ? 10000 : ms,
                                 .max_body_bytes = MAX_ANSWER,
                                 .tls = options->tls};
  int rc = r->user == NULL ? tm_fail(err, -ENOMEM, "out of memory") : 0;
  if (rc == 0)
    rc = tm_secret_read(options->password_file, &r->password, err);
  if (rc == 0)
    rc = tm_http_new(&r->http, options->url, &http, err);
  if (rc < 0) {
    tryton_rpc_free(r);
    return rc;
  }
  *rpc = r;
  return 0;
}

json_int_t tryton_user(const struct tryton_rpc *rpc)
{
  return rpc->user_id;
}

json_int_t tryton_company(const struct tryton_rpc *rpc)
{
  return rpc->company;
}

int64_t tryton_rpc_retry_after(const struct tryton_rpc *rpc)
{
  return rpc->retry_after_s;
}

/* --- one exchange --------------------------------------------------------------------------- */

/* 1: the session is not (or no more) known. */
static int exchange(struct tryton_rpc *r, const char *method, const json_t *params, json_t **result,
                    struct tm_error *err)
{
  struct tm_buf body = TM_BUF_INIT(TRYTON_MAX_REQUEST);
  struct tm_http_reply reply = {0};
  const char *headers[] = {"Content-Type: application/json", "Accept: application/json",
                           r->authorization, NULL};
  json_t *request = json_pack("{s:i,s:s,s:O}", "id", 1, "method", method, "params", params);
  int rc = request != NULL ? tm_json_append(&body, request) : -ENOMEM;
  if (tm_json_starved()) /* it may lack something */
    rc = tm_fail(err, -ENOMEM, "%s: out of memory", method);
  else if (rc < 0)
    rc = tm_fail(err, -EFBIG, "%s: too large to be sent", method);
  size_t len = strlen(method);
  struct tm_http_request q = {.method = "POST",
                              .headers = headers,
                              .body = body.ptr,
                              .body_len = body.len,
                              /* two of them would be two records */
                              .once = len > 7 && strcmp(method + len - 7, ".create") == 0};
  if (rc == 0)
    rc = tm_http_do(r->http, &q, &reply, err);
  if (rc < 0)
    goto out;
  r->retry_after_s = tm_http_retry_after(&reply, tm_now());
  if (reply.status == 401) {
    rc = 1;
    goto out;
  }
  rc = tryton_judge(method, reply.status, reply.body.ptr, reply.body.len, result, err);
out:
  if (body.ptr != NULL)
    explicit_bzero(body.ptr, body.len); /* it may be the login */
  json_decref(request);
  tm_buf_release(&body);
  tm_http_reply_release(&reply);
  return rc;
}

/* --- the session ---------------------------------------------------------------------------- */

static int set_session(struct tryton_rpc *r, const json_t *result, struct tm_error *err)
{
  const char *key = json_string_value(json_array_get(result, 1));
  char plain[MAX_SESSION], coded[2 * MAX_SESSION];
  r->user_id = json_integer_value(json_array_get(result, 0));
  int n = snprintf(plain, sizeof(plain), "%s:%lld:%s", r->user, (long long)r->user_id,
                   key != NULL ? key : "");
  if (key == NULL || n >= (int)sizeof(plain))
    return tm_fail(err, -EAGAIN, "common.db.login: the answer is no session");
  sodium_bin2base64(coded, sizeof(coded), (const unsigned char *)plain, (size_t)n,
                    sodium_base64_VARIANT_ORIGINAL);
  if (asprintf(&r->authorization, "Authorization: Session %s", coded) < 0)
    r->authorization = NULL;
  explicit_bzero(plain, sizeof(plain));
  explicit_bzero(coded, sizeof(coded));
  return r->authorization == NULL ? tm_fail(err, -ENOMEM, "out of memory") : 0;
}

static int login(struct tryton_rpc *r, struct tm_error *err)
{
  json_t *result = NULL;
  wipe(r->authorization);
  r->authorization = NULL;
  json_t *params = json_pack("[s,{s:s},s]", r->user, "password", r->password.ptr, "en");
  int rc = exchange(r, "common.db.login", params, &result, err);
  json_decref(params);
  if (rc == 1)
    rc = tm_fail(err, -EACCES, "user %s: the password is not accepted", r->user);
  if (rc == 0)
    rc = set_session(r, result, err);
  json_decref(result);
  return rc;
}

static int login_and_call(struct tryton_rpc *r, const char *method, const json_t *params,
                          json_t **result, struct tm_error *err)
{
  int rc = r->authorization != NULL ? exchange(r, method, params, result, err) : 1;
  if (rc != 1)
    return rc;
  rc = login(r, err);
  if (rc == 0)
    rc = exchange(r, method, params, result, err);
  if (rc == 1)
    rc = tm_fail(err, -EACCES, "%s: answered 401 to a new session", method);
  return rc;
}

/* The user's own context. An employee in it would become the owner of what we create. */
static int get_context(struct tryton_rpc *r, struct tm_error *err)
{
  json_t *context = NULL;
  json_t *params = json_pack("[b,{}]", 1);
  int rc = login_and_call(r, "model.res.user.get_preferences", params, &context, err);
  json_decref(params);
  if (rc < 0)
    return rc;
  json_int_t company = tryton_id(context, "company");
  if (company < 0)
    rc = tm_fail(err, -EACCES, "user %s: has no company in its preferences", r->user);
  else
    r->context = json_pack("{s:I,s:s}", "company", company, "language", "en");
  r->company = company;
  json_decref(context);
  return rc < 0 || r->context != NULL ? rc : tm_fail(err, -ENOMEM, "out of memory");
}

/* --- showing -------------------------------------------------------------------------------- */

void tryton_rpc_only_show(struct tryton_rpc *r)
{
  r->only_show = true;
}

bool tryton_rpc_is_only_shown(const struct tryton_rpc *r)
{
  return r->only_show;
}

int tryton_call(struct tryton_rpc *r, const char *method, json_t *params, json_t *more,
                json_t **result, struct tm_error *err)
{
  json_t *got = NULL;
  int rc = r->context == NULL ? get_context(r, err) : 0;
  if (rc == 0) {
    json_t *context = json_copy(r->context);
    if (more != NULL)
      json_object_update(context, more);
    if (json_array_append_new(params, context) < 0)
      rc = tm_fail(err, -ENOMEM, "%s: not valid UTF-8, or out of memory", method);
  }
  if (rc == 0 && r->only_show && !tryton_call_reads(method))
    rc = tryton_call_show(method, params, &got, err);
  else if (rc == 0)
    rc = login_and_call(r, method, params, &got, err);
  json_decref(params);
  json_decref(more);
  if (rc == 0 && result != NULL)
    *result = got;
  else
    json_decref(got);
  return rc;
}

void tryton_rpc_free(struct tryton_rpc *r)
{
  if (r == NULL)
    return;
  json_t *nothing = json_array(), *result = NULL;
  if (r->authorization != NULL)
    exchange(r, "common.db.logout", nothing, &result, NULL);
  json_decref(nothing);
  json_decref(result);
  json_decref(r->context);
  tm_http_free(r->http);
  wipe(r->authorization);
  if (r->password.ptr != NULL)
    explicit_bzero(r->password.ptr, r->password.len);
  tm_buf_release(&r->password);
  free(r->user);
  free(r);
}

/* --- usual calls ---------------------------------------------------------------------------- */

int tryton_find(struct tryton_rpc *r, const char *model, json_t *domain, int limit, json_t *fields,
                json_t *more, json_t **records, struct tm_error *err)
{
  char method[128];
  snprintf(method, sizeof(method), "model.%s.search_read", model);
  json_t *params = json_pack("[o,i,o,[[s,s]],o]", domain, 0,
                             limit > 0 ? json_integer(limit) : json_null(), "id", "ASC", fields);
  json_t *got = NULL;
  int rc = tryton_call(r, method, params, more, &got, err);
  if (rc == 0 && !json_is_array(got)) {
    json_decref(got);
    return tm_fail(err, -EAGAIN, "%s: the answer is no list", method);
  }
  if (rc == 0)
    *records = got;
  return rc;
}

int tryton_create(struct tryton_rpc *r, const char *model, json_t *values, json_int_t *id,
                  struct tm_error *err)
{
  char method[128];
  json_t *got = NULL;
  snprintf(method, sizeof(method), "model.%s.create", model);
  int rc = tryton_call(r, method, json_pack("[[o]]", values), NULL, &got, err);
  if (rc == 0 && !json_is_integer(json_array_get(got, 0)))
    rc = tm_fail(err, -EAGAIN, "%s: the answer has no id", method);
  if (rc == 0 && id != NULL)
    *id = json_integer_value(json_array_get(got, 0));
  json_decref(got);
  return rc;
}

int tryton_press(struct tryton_rpc *r, const char *method, json_int_t id, json_t **result,
                 struct tm_error *err)
{
  return tryton_call(r, method, json_pack("[[I]]", id), NULL, result, err);
}
