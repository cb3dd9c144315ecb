/* SPDX-License-Identifier: MIT */
#include "exporters/envelope.h"

#include "common/json.h"
#include "common/json_memory.h"
#include "common/json_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *envelope_digest(char out[TM_SHA256_HEX], const json_t *document)
{
  struct tm_buf text = TM_BUF_INIT(ENVELOPE_MAX);
  json_t *bare = json_copy((json_t *)document);
  json_object_del(bare, "id");
  json_object_del(bare, "generated_at");
  /* The hash of half a document would be another key for it. */
  if (bare == NULL || tm_json_append(&text, bare) == -ENOMEM)
    tm_json_starve();
  tm_sha256_hex(out, text.ptr != NULL ? text.ptr : "", text.len);
  tm_buf_release(&text);
  json_decref(bare);
  return out;
}

static const char *text_or_empty(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL ? text : "";
}

char *envelope_key(char key[TM_SHA256_HEX], const json_t *document, const char *kind,
                   const char *target, struct tm_buf *lines)
{
  const json_t *customer = json_object_get(document, "customer");
  const json_t *period = json_object_get(document, "period");
  char content[TM_SHA256_HEX], times[128];
  struct tm_digest d;
  snprintf(times, sizeof(times), "%s/%s", text_or_empty(period, "from"),
           text_or_empty(period, "to"));
  const char *const parts[] = {text_or_empty(customer, "id"),
                               text_or_empty(customer, "site"),
                               text_or_empty(customer, "host"),
                               text_or_empty(json_object_get(document, "product"), "device"),
                               kind,
                               times,
                               text_or_empty(document, "schema"),
                               target,
                               envelope_digest(content, document)};
  tm_digest_init(&d);
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    tm_digest_line(&d, parts[i]);
    if (lines != NULL && tm_buf_printf(lines, "%s\n", parts[i]) == -ENOMEM)
      tm_json_starve();
  }
  return tm_digest_hex(&d, key);
}

static int compare_keys(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A batch is named by what is in it, whatever the order. */
char *envelope_batch_id(char out[TM_SHA256_HEX], const char **keys, size_t n)
{
  struct tm_digest d;
  qsort(keys, n, sizeof(*keys), compare_keys);
  tm_digest_init(&d);
  for (size_t i = 0; i < n; i++)
    tm_digest_line(&d, keys[i]);
  return tm_digest_hex(&d, out);
}

size_t envelope_headers(char out[ENVELOPE_HEADERS_SIZE], const struct tm_secret *secret,
                        const char *id, int64_t now, const void *body, size_t len)
{
  char signature[TM_SIGNATURE_SIZE];
  tm_sign(signature, secret, id, now, body, len);
  int n = snprintf(out, ENVELOPE_HEADERS_SIZE,
                   "webhook-id: %s\nwebhook-timestamp: %lld\nwebhook-signature: %s\n", id,
                   (long long)now, signature);
  return n < ENVELOPE_HEADERS_SIZE ? (size_t)n : ENVELOPE_HEADERS_SIZE - 1;
}

static int write_event(struct tm_buf *body, const char *key, const char *kind,
                       const json_t *document)
{
  const json_t *customer = json_object_get(document, "customer");
  struct json_out o = JSON_OUT_INIT(body);
  char source[512], type[64];
  snprintf(source, sizeof(source), "/customers/%s/sites/%s", text_or_empty(customer, "id"),
           text_or_empty(customer, "site"));
  snprintf(type, sizeof(type), "tidemark.%s.v1", kind);
  json_out_open(&o, '{');
  json_out_key(&o, "specversion");
  json_out_string(&o, "1.0");
  json_out_key(&o, "id");
  json_out_string(&o, key);
  json_out_key(&o, "source");
  json_out_string(&o, source);
  json_out_key(&o, "type");
  json_out_string(&o, type);
  json_out_key(&o, "time");
  json_out_string(&o, text_or_empty(document, "generated_at"));
  json_out_key(&o, "datacontenttype");
  json_out_string(&o, "application/json");
  json_out_key(&o, "data");
  json_out_value(&o, document);
  json_out_close(&o, '}');
  return o.rc;
}

int envelope_seal(struct envelope *e, json_t *document, const char *kind, const char *target,
                  struct tm_error *err)
{
  static const char *const wanted[] = {"schema", "generated_at", NULL};
  *e = (struct envelope){.body = TM_BUF_INIT(ENVELOPE_MAX)};
  for (size_t i = 0; wanted[i] != NULL; i++) {
    if (tm_json_get_string(document, wanted[i]) == NULL)
      return tm_fail(err, -EBADMSG, "%s: missing", wanted[i]);
  }
  if (!json_is_object(json_object_get(document, "customer")))
    return tm_fail(err, -EBADMSG, "customer: missing");
  envelope_key(e->key, document, kind, target, NULL);
  if (json_object_get(document, "id") != NULL)
    json_object_set_new(document, "id", json_string(e->key));
  int rc = tm_json_starved() ? -ENOMEM : write_event(&e->body, e->key, kind, document);
  if (rc < 0) {
    envelope_release(e);
    return tm_fail(err, rc, "%s: %s", kind, rc == -EFBIG ? "too large to be sent" : strerror(-rc));
  }
  tm_sha256_hex(e->sha256, e->body.ptr, e->body.len);
  return 0;
}

void envelope_release(struct envelope *e)
{
  tm_buf_release(&e->body);
}
