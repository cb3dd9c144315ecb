/* SPDX-License-Identifier: MIT */
/* A CRM that takes JSON over HTTPS, by a mapping file: one record for each recommendation. */
#include "exporters/target.h"

#include "common/http.h"
#include "common/json.h"
#include "common/log.h"
#include "common/text.h"
#include "exporters/mapping/requests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MAX_HEADERS = 32,
  MAX_SECRET = 4096,
  MAX_ANSWER = 4 << 20,
  MAX_BODY = 4 << 20,
  MAX_PATH = 8192
};

struct mapped {
  const struct tm_conf_target *conf;
  struct tm_http *http;
  struct mapping mapping;
  char *headers[MAX_HEADERS + 1]; /* whole lines; they hold secrets */
  size_t headers_len;
  struct tm_error refusal; /* of the first recommendation of an item that was refused */
  int64_t retry_after_s;   /* that the last answer asked for, or -1 */
  int64_t now;
};

static void mapped_close(void *state)
{
  struct mapped *m = state;
  tm_http_free(m->http);
  mapping_release(&m->mapping);
  for (size_t i = 0; i < m->headers_len; i++) {
    explicit_bzero(m->headers[i], strlen(m->headers[i]));
    free(m->headers[i]);
  }
  free(m);
}

/* --- headers ---------------------------------------------------------------------------------- */

static int add_header(struct mapped *m, const char *name, const char *before, const char *value,
                      struct tm_error *err)
{
  if (m->headers_len == MAX_HEADERS)
    return tm_fail(err, -EINVAL, "%s: more than %d headers", m->mapping.path, MAX_HEADERS);
  if (asprintf(&m->headers[m->headers_len], "%s: %s%s", name, before, value) < 0) {
    m->headers[m->headers_len] = NULL;
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  m->headers_len++;
  return 0;
}

/* The secret comes from a file, that of the target unless the mapping names one. */
static int add_secret_header(struct mapped *m, const char *name, const char *before,
                             const char *file, struct tm_error *err)
{
  struct tm_buf secret = TM_BUF_INIT(MAX_SECRET);
  if (file == NULL)
    return tm_fail(err, -EINVAL, "%s: header %s: token_file is not given for target %s",
                   m->mapping.path, name, m->conf->name);
  int rc = tm_secret_read(file, &secret, err);
  if (rc == 0)
    rc = add_header(m, name, before, secret.ptr, err);
  if (secret.ptr != NULL)
    explicit_bzero(secret.ptr, secret.len);
  tm_buf_release(&secret);
  return rc;
}

static bool has_header(const json_t *headers, const char *wanted)
{
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)headers, name, value)
  {
    if (strcasecmp(name, wanted) == 0)
      return true;
  }
  return false;
}

static int make_headers(struct mapped *m, struct tm_error *err)
{
  const json_t *headers = json_object_get(m->mapping.root, "headers");
  const char *name;
  json_t *value;
  int rc = 0;
  json_object_foreach((json_t *)headers, name, value)
  {
    const char *before = tm_json_get_string(value, "before");
    const char *file = tm_json_get_string(value, "file");
    if (rc == 0 && json_is_string(value))
      rc = add_header(m, name, "", json_string_value(value), err);
    else if (rc == 0)
      rc = add_secret_header(m, name, before != NULL ? before : "",
                             file != NULL ? file : m->conf->token_file, err);
  }
  if (rc == 0 && m->conf->token_file != NULL && !has_header(headers, "Authorization"))
    rc = add_secret_header(m, "Authorization", "Bearer ", m->conf->token_file, err);
  if (rc == 0 && !has_header(headers, "Accept"))
    rc = add_header(m, "Accept", "", "application/json", err);
  if (rc == 0 && !has_header(headers, "Content-Type"))
    rc = add_header(m, "Content-Type", "", "application/json; charset=utf-8", err);
  return rc;
}

static int mapped_open(void **state, const struct tm_conf_target *conf, struct tm_error *err)
{
  struct mapped *m = calloc(1, sizeof(*m));
  if (m == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  m->conf = conf;
  struct tm_http_options options = {
      .timeout_ms = (long)conf->timeout_s * 1000, .max_body_bytes = MAX_ANSWER, .tls = conf->tls};
  int rc = mapping_load(&m->mapping, conf->mapping, err);
  if (rc == 0)
    rc = make_headers(m, err);
  if (rc == 0)
    rc = tm_http_new(&m->http, conf->url, &options, err);
  if (rc < 0) {
    mapped_close(m);
    return rc;
  }
  *state = m;
  return 0;
}

/* --- one request ------------------------------------------------------------------------------ */

static bool lists(const json_t *statuses, long status)
{
  size_t i;
  json_t *one;
  json_array_foreach(statuses, i, one)
  {
    if (json_integer_value(one) == status)
      return true;
  }
  return false;
}

/* What a status means for the item and for the target: push's own rules, see target.h. */
static int code_of(const struct mapped *m, long status)
{
  if (lists(json_object_get(m->mapping.root, "later"), status) || status == 429 || status == 502 ||
      status == 503 || status == 504)
    return -ETIMEDOUT;
  if (status == 401 || status == 403 || status == 404 || status == 410)
    return -EACCES;
  if (status == 408 || status == 409 || status == 425 || status == 500)
    return -EAGAIN;
  return status > 300 && status < 400 ? -EIO : -EBADMSG;
}

/* The CRM's own words, or the beginning of what it sent. */
static void explain(char *out, size_t size, const struct mapped *m,
                    const struct tm_http_reply *reply)
{
  const char *pointer = tm_json_get_string(m->mapping.root, "error");
  json_t *body =
      reply->body.len > 0 ? tm_json_parse(reply->body.ptr, reply->body.len, "answer", NULL) : NULL;
  const json_t *text = pointer != NULL ? mapping_point(body, pointer) : NULL;
  if (json_is_string(text))
    tm_text_clean(out, size, json_string_value(text), json_string_length(text));
  else
    tm_text_clean(out, size, reply->body.len > 0 ? reply->body.ptr : "", reply->body.len);
  json_decref(body);
}

/* 0; -ENODATA for a status that means 'there is none'; else as code_of() says. */
static int judge(struct mapped *m, const char *what, const json_t *request,
                 const struct tm_http_reply *reply, struct tm_error *err)
{
  const json_t *accept = json_object_get(request, "accept");
  char text[160];
  if (accept != NULL ? lists(accept, reply->status) : reply->status / 100 == 2)
    return 0;
  if (lists(json_object_get(request, "none"), reply->status))
    return -ENODATA;
  explain(text, sizeof(text), m, reply);
  m->retry_after_s = tm_http_retry_after(reply, m->now);
  return tm_fail(err, code_of(m, reply->status), "%s: answered %ld%s%s", what, reply->status,
                 text[0] != '\0' ? ": " : "", text);
}

/* *answer is a new reference, NULL where there is no body. */
static int exchange(struct mapped *m, const char *what, const json_t *request,
                    const struct mapping_scope *scope, json_t **answer, struct tm_error *err)
{
  struct tm_buf path = TM_BUF_INIT(MAX_PATH);
  struct tm_buf body = TM_BUF_INIT(MAX_BODY);
  struct tm_http_reply reply = {0};
  int rc = mapping_request(&path, &body, request, scope, err);
  *answer = NULL;
  if (rc < 0) {
    rc = tm_fail_prefix(err, what);
    goto out;
  }
  struct tm_http_request asked = {.method = tm_json_get_string(request, "method"),
                                  .url = path.ptr,
                                  .headers = (const char *const *)m->headers,
                                  .body = body.len > 0 ? body.ptr : NULL,
                                  .body_len = body.len,
                                  .once = request == json_object_get(m->mapping.root, "create")};
  rc = tm_http_do(m->http, &asked, &reply, err);
  if (rc < 0) {
    rc = err->code = -EIO; /* whatever it was: not the item's fault */
    goto out;
  }
  rc = judge(m, what, request, &reply, err);
  if (rc == 0 && reply.body.len > 0) {
    *answer = tm_json_parse(reply.body.ptr, reply.body.len, what, err);
    rc = *answer == NULL ? tm_fail(err, -EIO, "%s: the answer is no JSON", what) : 0;
  }
out:
  tm_buf_release(&path);
  tm_buf_release(&body);
  tm_http_reply_release(&reply);
  return rc;
}

/* --- one record ------------------------------------------------------------------------------- */

static bool is_nothing(const json_t *value)
{
  return value == NULL || json_is_null(value) || json_is_false(value) ||
         (json_is_array(value) && json_array_size(value) == 0);
}

/* A search answers with a list: two of them under one key, and nobody knows which is meant. */
static int check_single(const json_t *answer, const char *pointer, struct tm_error *err)
{
  char list[4 * 1000 + 1]; /* the longest pointer of a mapping */
  size_t n = strlen(pointer);
  if (n < 2 || n >= sizeof(list) || strcmp(pointer + n - 2, "/0") != 0)
    return 0;
  snprintf(list, sizeof(list), "%.*s", (int)n - 2, pointer);
  size_t found = json_array_size(mapping_point(answer, list));
  return found > 1 ? tm_fail(err, -EBADMSG, "find: %zu records have this key", found) : 0;
}

/* *record is within *answer; NULL where there is none. */
static int find_record(struct mapped *m, const struct mapping_scope *scope, json_t **answer,
                       const json_t **record, struct tm_error *err)
{
  const json_t *request = json_object_get(m->mapping.root, "find");
  const char *pointer = tm_json_get_string(request, "record");
  *record = NULL;
  int rc = exchange(m, "find", request, scope, answer, err);
  if (rc == -ENODATA)
    return 0;
  if (rc < 0)
    return rc;
  *record = mapping_point(*answer, pointer != NULL ? pointer : "");
  if (is_nothing(*record))
    *record = NULL;
  return pointer != NULL ? check_single(*answer, pointer, err) : 0;
}

static int look_up(struct mapped *m, const struct mapping_scope *scope, json_t *values,
                   struct tm_error *err)
{
  const char *name;
  json_t *request;
  json_object_foreach(json_object_get(m->mapping.root, "lookups"), name, request)
  {
    json_t *answer = NULL;
    int rc = exchange(m, name, request, scope, &answer, err);
    if (rc < 0 && rc != -ENODATA)
      return rc;
    const json_t *value = mapping_point(answer, tm_json_get_string(request, "value"));
    if (!is_nothing(value))
      json_object_set(values, name, (json_t *)value);
    else if (json_is_true(json_object_get(request, "required")))
      rc = tm_fail(err, -EBADMSG, "%s: nothing is found", name);
    json_decref(answer);
    if (rc == -EBADMSG)
      return rc;
  }
  return 0;
}

/* Whether nobody has taken the record in hand. */
static bool may_update(const json_t *update, const json_t *record)
{
  size_t i, j;
  json_t *condition, *value;
  json_array_foreach(json_object_get(update, "if"), i, condition)
  {
    const json_t *had = mapping_point(record, tm_json_get_string(condition, "record"));
    bool met = false;
    json_array_foreach(json_object_get(condition, "in"), j, value)
    {
      met = met || (had != NULL && json_equal(had, value) == 1);
    }
    if (!met)
      return false;
  }
  return true;
}

/* Finds, then creates or updates; or does both by one request. */
static int offer(struct mapped *m, struct mapping_scope *scope, struct tm_error *err)
{
  const json_t *root = m->mapping.root;
  const char *step = json_object_get(root, "upsert") != NULL ? "upsert" : "create";
  json_t *found = NULL, *answer = NULL;
  json_t *lookups = json_object();
  int rc = 0;
  if (json_object_get(root, "find") != NULL)
    rc = find_record(m, scope, &found, &scope->record, err);
  if (scope->record != NULL)
    step = "update";
  const json_t *request = json_object_get(root, step);
  bool wanted = request != NULL && (scope->record == NULL || may_update(request, scope->record));
  if (rc == 0 && wanted)
    rc = look_up(m, scope, lookups, err);
  scope->lookups = lookups;
  if (rc == 0 && wanted)
    rc = exchange(m, step, request, scope, &answer, err);
  if (rc == -EBADMSG || rc == -EAGAIN)
    tm_fail_prefix(err, json_string_value(scope->key));
  json_decref(answer);
  json_decref(found);
  json_decref(lookups);
  return rc;
}

/* What is refused is so for itself: the other needs of the device are offered all the same. */
static int offer_one(void *arg, struct mapping_scope *scope, struct tm_error *err)
{
  struct mapped *m = arg;
  int rc = offer(m, scope, err);
  if (rc != -EBADMSG)
    return rc;
  if (m->refusal.code == 0)
    m->refusal = *err;
  return 0;
}

/* --- items ------------------------------------------------------------------------------------ */

static enum target_health health_of(int rc)
{
  if (rc == -EBADMSG || rc == -EAGAIN)
    return TARGET_UP;
  return rc == -EACCES ? TARGET_STOP : TARGET_DOWN;
}

static void send_item(struct mapped *m, struct target_item *item, struct target_outcome *out)
{
  struct tm_error err = {0};
  m->retry_after_s = -1;
  m->refusal = (struct tm_error){0};
  item->reason[0] = '\0';
  item->result = TARGET_ACCEPTED;
  int rc = mapping_each(&m->mapping, item->body, item->body_len, offer_one, m, &err);
  if (rc == 0 && m->refusal.code == 0)
    return;
  if (rc == 0) {
    rc = -EBADMSG;
    err = m->refusal;
  }
  snprintf(item->reason, sizeof(item->reason), "%.*s", (int)sizeof(item->reason) - 1, err.text);
  if (rc == -EBADMSG) {
    item->result = TARGET_REFUSED;
    return;
  }
  out->error = err;
  out->retry_after_s = health_of(rc) == TARGET_DOWN ? m->retry_after_s : -1;
  target_fail_all(item, 1, out, health_of(rc));
}

static void mapped_send(void *state, struct target_item *items, size_t n, int64_t now,
                        struct target_outcome *out)
{
  struct mapped *m = state;
  m->now = now;
  *out = (struct target_outcome){.retry_after_s = -1};
  for (size_t i = 0; i < n; i++) {
    send_item(m, &items[i], out);
    if (out->health != TARGET_UP) {
      target_fail_all(items + i, n - i, out, out->health);
      return;
    }
  }
}

const struct target_ops target_mapped_ops = {
    .open = mapped_open,
    .send = mapped_send,
    .close = mapped_close,
};
