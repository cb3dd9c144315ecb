/* SPDX-License-Identifier: MIT */
/* HTTPS POST of CloudEvents, signed as Standard Webhooks prescribes, over one kept connection. */
#include "exporters/target.h"

#include "common/buf.h"
#include "common/http.h"
#include "exporters/answer.h"
#include "exporters/envelope.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOKEN = 1024, MAX_ANSWER = 1 << 20, MAX_REQUEST = 16 << 20 };

struct webhook {
  struct tm_http *http;
  struct tm_secret secret;
  char *authorization; /* the whole header, or NULL */
};

static void webhook_close(void *state)
{
  struct webhook *w = state;
  tm_http_free(w->http);
  tm_secret_release(&w->secret);
  if (w->authorization != NULL)
    explicit_bzero(w->authorization, strlen(w->authorization));
  free(w->authorization);
  free(w);
}

static int read_token(struct webhook *w, const char *path, struct tm_error *err)
{
  struct tm_buf token = TM_BUF_INIT(MAX_TOKEN);
  int rc = tm_secret_read(path, &token, err);
  if (rc == 0 && asprintf(&w->authorization, "Authorization: Bearer %s", token.ptr) < 0) {
    w->authorization = NULL;
    rc = tm_fail(err, -ENOMEM, "out of memory");
  }
  if (token.ptr != NULL)
    explicit_bzero(token.ptr, token.len);
  tm_buf_release(&token);
  return rc;
}

static int webhook_open(void **state, const struct tm_conf_target *conf, struct tm_error *err)
{
  struct webhook *w = calloc(1, sizeof(*w));
  if (w == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  struct tm_http_options options = {.timeout_ms = (long)conf->timeout_s * 1000,
                                    .connect_timeout_ms = (long)conf->timeout_s * 1000,
                                    .max_body_bytes = MAX_ANSWER,
                                    .tls = conf->tls};
  if (options.connect_timeout_ms > 10000)
    options.connect_timeout_ms = 10000;
  int rc = tm_secret_load(&w->secret, conf->secret_file, err);
  if (rc == 0 && conf->token_file != NULL)
    rc = read_token(w, conf->token_file, err);
  if (rc == 0)
    rc = tm_http_new(&w->http, conf->url, &options, err);
  if (rc < 0) {
    webhook_close(w);
    return rc;
  }
  *state = w;
  return 0;
}

static int batch_id(char out[TM_SHA256_HEX], const struct target_item *items, size_t n)
{
  const char **keys = calloc(n, sizeof(*keys));
  if (keys == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < n; i++)
    keys[i] = items[i].key;
  envelope_batch_id(out, keys, n);
  free(keys);
  return 0;
}

/* The frozen bytes of the events, between brackets and commas. */
static int batch_body(struct tm_buf *body, const struct target_item *items, size_t n)
{
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < n; i++) {
    rc = tm_buf_puts(body, i == 0 ? "[" : ",");
    if (rc == 0)
      rc = tm_buf_add(body, items[i].body, items[i].body_len);
  }
  return rc < 0 ? rc : tm_buf_puts(body, "]");
}

/* One exchange. The answer's pointers into reply are filled. */
static int exchange(struct webhook *w, const char *method, const char *id, const char *type,
                    const void *body, size_t len, int64_t now, struct tm_http_reply *reply,
                    struct tm_error *err)
{
  char id_header[128], time_header[64], signature_header[128], type_header[96];
  char signature[TM_SIGNATURE_SIZE];
  tm_sign(signature, &w->secret, id, now, body != NULL ? body : "", len);
  snprintf(id_header, sizeof(id_header), "webhook-id: %s", id);
  snprintf(time_header, sizeof(time_header), "webhook-timestamp: %lld", (long long)now);
  snprintf(signature_header, sizeof(signature_header), "webhook-signature: %s", signature);
  snprintf(type_header, sizeof(type_header), "Content-Type: %s", type);
  const char *headers[8];
  size_t n = 0;
  headers[n++] = id_header;
  headers[n++] = time_header;
  headers[n++] = signature_header;
  headers[n++] = "Accept: application/json";
  if (body != NULL)
    headers[n++] = type_header;
  if (w->authorization != NULL)
    headers[n++] = w->authorization;
  headers[n] = NULL;
  struct tm_http_request request = {
      .method = method, .headers = headers, .body = body, .body_len = len};
  return tm_http_do(w->http, &request, reply, err);
}

/* An answer without a body takes all items, so it must be one, and not one whose body was cut off:
 * HTTP/1 has to say that there is none. HTTP/2 frames it. */
static bool is_cut(const struct tm_http_reply *reply)
{
  char value[64];
  return reply->body.len == 0 && reply->status != 204 && reply->headers.ptr != NULL &&
         strncmp(reply->headers.ptr, "HTTP/1", 6) == 0 &&
         tm_http_header(reply, "Content-Length", value, sizeof(value)) == NULL &&
         tm_http_header(reply, "Transfer-Encoding", value, sizeof(value)) == NULL;
}

static void judge(const struct webhook *w, const struct tm_http_reply *reply, const char *id,
                  int64_t now, struct target_item *items, size_t n, struct target_outcome *out)
{
  char answer_id[128], timestamp[32], signature[256];
  struct answer a = {
      .status = reply->status,
      .body = reply->body.ptr,
      .body_len = reply->body.len,
      .date = tm_http_date(reply),
      .retry_after_s = tm_http_retry_after(reply, now),
      .id = tm_http_header(reply, "webhook-id", answer_id, sizeof(answer_id)),
      .timestamp = tm_http_header(reply, "webhook-timestamp", timestamp, sizeof(timestamp)),
      .signature = tm_http_header(reply, "webhook-signature", signature, sizeof(signature)),
  };
  answer_judge(&a, id, &w->secret, now, items, n, out);
}

static void webhook_send(void *state, struct target_item *items, size_t n, int64_t now,
                         struct target_outcome *out)
{
  struct webhook *w = state;
  struct tm_http_reply reply = {0};
  struct tm_buf batch = TM_BUF_INIT(MAX_REQUEST);
  char id[TM_SHA256_HEX];
  *out = (struct target_outcome){.retry_after_s = -1};
  const char *type = n == 1 ? "application/cloudevents+json; charset=utf-8"
                            : "application/cloudevents-batch+json; charset=utf-8";
  snprintf(id, sizeof(id), "%s", items[0].key);
  if (n > 1 && (batch_id(id, items, n) < 0 || batch_body(&batch, items, n) < 0))
    tm_fail(&out->error, -ENOMEM, "out of memory");
  else
    exchange(w, "POST", id, type, n > 1 ? batch.ptr : items[0].body,
             n > 1 ? batch.len : items[0].body_len, now, &reply, &out->error);
  if (out->error.code == 0 && is_cut(&reply))
    tm_fail(&out->error, -EIO, "the answer ended before its body");
  if (out->error.code < 0)
    target_fail_all(items, n, out, TARGET_DOWN);
  else
    judge(w, &reply, id, now, items, n, out);
  tm_buf_release(&batch);
  tm_http_reply_release(&reply);
}

static void webhook_poll(void *state, int64_t now, struct target_outcome *out)
{
  struct webhook *w = state;
  struct tm_http_reply reply = {0};
  char text[64], id[TM_SHA256_HEX];
  *out = (struct target_outcome){.retry_after_s = -1};
  int n = snprintf(text, sizeof(text), "poll %lld", (long long)now);
  tm_sha256_hex(id, text, (size_t)n);
  if (exchange(w, "GET", id, "", NULL, 0, now, &reply, &out->error) < 0)
    out->health = TARGET_DOWN;
  else
    judge(w, &reply, id, now, NULL, 0, out);
  tm_http_reply_release(&reply);
}

const struct target_ops target_webhook_ops = {
    .open = webhook_open,
    .send = webhook_send,
    .poll = webhook_poll,
    .close = webhook_close,
};
