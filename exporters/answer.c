/* SPDX-License-Identifier: MIT */
#include "exporters/answer.h"

#include "common/json.h"
#include "common/number.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAX_SKEW_S = 300, MAX_RETRY_AFTER_S = 86400 };

enum signature { UNSIGNED, RIGHT, WRONG };

/* Signed at all? With our secret, for this very request, not long ago? */
static enum signature check_signature(const struct answer *a, const char *request_id,
                                      const struct tm_secret *secret, int64_t now)
{
  int64_t timestamp = 0;
  if (a->signature == NULL)
    return UNSIGNED;
  if (a->id == NULL || a->timestamp == NULL || strcmp(a->id, request_id) != 0 ||
      tm_parse_i64(a->timestamp, 0, INT64_MAX / 2, &timestamp) < 0 ||
      timestamp > now + MAX_SKEW_S || timestamp < now - MAX_SKEW_S)
    return WRONG;
  return tm_sign_verify(a->signature, secret, request_id, timestamp, a->body != NULL ? a->body : "",
                        a->body_len)
             ? RIGHT
             : WRONG;
}

/* A remote text in a message of ours: cleaned and short. */
static void clean(char *out, size_t size, const char *text)
{
  out[0] = '\0';
  if (text != NULL)
    tm_text_clean(out, size, text, strlen(text));
}

static void judge_item(struct target_item *item, const json_t *result)
{
  char field[64], error[160];
  const char *status = tm_json_get_string(result, "status");
  const char *hash = tm_json_get_string(result, "sha256");
  item->result = TARGET_RETRY;
  if (status == NULL) {
    snprintf(item->reason, sizeof(item->reason), "the answer does not say what became of it");
    return;
  }
  if (strcmp(status, "refused") == 0) {
    clean(field, sizeof(field), tm_json_get_string(result, "field"));
    clean(error, sizeof(error), tm_json_get_string(result, "error"));
    snprintf(item->reason, sizeof(item->reason), "refused: %s%s%s", field,
             field[0] != '\0' ? ": " : "", error[0] != '\0' ? error : "no reason given");
    item->result = TARGET_REFUSED;
    return;
  }
  if (strcmp(status, "accepted") != 0 && strcmp(status, "duplicate") != 0) {
    snprintf(item->reason, sizeof(item->reason), "the answer's status is not known");
    return;
  }
  if (hash != NULL && strcmp(hash, item->sha256) != 0) {
    snprintf(item->reason, sizeof(item->reason), "the receipt is for other bytes");
    return;
  }
  if (hash != NULL)
    memcpy(item->receipt, item->sha256, TM_SHA256_HEX);
  item->result = TARGET_ACCEPTED;
  item->reason[0] = '\0';
}

static void judge_all(const json_t *body, struct target_item *items, size_t n,
                      struct target_outcome *out)
{
  size_t silent = 0;
  for (size_t i = 0; i < n; i++) {
    judge_item(&items[i], tm_json_find(json_object_get(body, "results"), "id", items[i].key));
    silent += items[i].result == TARGET_RETRY;
  }
  if (silent > 0 && out->error.code == 0) {
    for (size_t i = 0; i < n; i++) {
      if (items[i].result == TARGET_RETRY)
        tm_fail(&out->error, -EBADMSG, "%.12s: %s", items[i].key, items[i].reason);
    }
  }
}

static void judge_success(const struct answer *a, bool is_signed, struct target_item *items,
                          size_t n, struct target_outcome *out)
{
  if (a->body_len == 0) {
    for (size_t i = 0; i < n; i++)
      items[i].result = TARGET_ACCEPTED;
    return;
  }
  json_t *body = tm_json_parse(a->body, a->body_len, "answer", &out->error);
  if (body == NULL) {
    target_fail_all(items, n, out, TARGET_DOWN);
    return;
  }
  judge_all(body, items, n, out);
  json_t *requests = json_object_get(body, "requests");
  if (is_signed && json_array_size(requests) > 0)
    out->requests = json_incref(requests);
  json_decref(body);
}

/* Its own words, where it gives some in JSON. */
static void refusal_text(const struct answer *a, char *out, size_t size)
{
  json_t *body = a->body_len > 0 ? tm_json_parse(a->body, a->body_len, "answer", NULL) : NULL;
  char error[160];
  clean(error, sizeof(error), tm_json_get_string(body, "error"));
  snprintf(out, size, "answered %ld%s%s", a->status, error[0] != '\0' ? ": " : "", error);
  json_decref(body);
}

static void judge_unauthorized(const struct answer *a, int64_t now, struct target_item *items,
                               size_t n, struct target_outcome *out)
{
  int64_t skew = a->date != INT64_MIN ? now - a->date : 0;
  if (skew > MAX_SKEW_S || skew < -MAX_SKEW_S) {
    out->skew_s = skew;
    tm_fail(&out->error, -EAGAIN,
            "refused for the time: this clock is %lld s %s the receiver's; set one of them right",
            (long long)(skew < 0 ? -skew : skew), skew < 0 ? "behind" : "ahead of");
    target_fail_all(items, n, out, TARGET_DOWN);
    return;
  }
  tm_fail(&out->error, -EACCES, "answered 401: it does not accept our token or signature");
  target_fail_all(items, n, out, TARGET_STOP);
}

/* 409 for something that it has already is what we wanted. */
static bool judge_conflict(const struct answer *a, struct target_item *items, size_t n)
{
  json_t *body = a->body_len > 0 ? tm_json_parse(a->body, a->body_len, "answer", NULL) : NULL;
  bool had = body != NULL;
  for (size_t i = 0; i < n && had; i++) {
    const char *id = tm_json_get_string(body, "id");
    judge_item(&items[i], tm_json_find(json_object_get(body, "results"), "id", items[i].key));
    if (n == 1 && id != NULL && strcmp(id, items[0].key) == 0)
      items[0].result = TARGET_ACCEPTED;
    had = items[i].result != TARGET_RETRY;
  }
  json_decref(body);
  return had;
}

static void judge_failure(const struct answer *a, struct target_item *items, size_t n,
                          struct target_outcome *out)
{
  long s = a->status;
  char text[224];
  refusal_text(a, text, sizeof(text));
  tm_fail(&out->error, -EIO, "%s", text);
  if (s == 403 || s == 404 || s == 410) {
    target_fail_all(items, n, out, TARGET_STOP);
  } else if (s == 429 || s == 502 || s == 503 || s == 504 || s < 400) {
    if (s < 400 && s >= 300)
      tm_fail(&out->error, -EIO, "answered %ld: redirects are not followed; mend the URL", s);
    target_fail_all(items, n, out, TARGET_DOWN);
  } else if (s >= 500 || s == 408 || s == 409 || s == 425) {
    target_fail_all(items, n, out, TARGET_UP);
  } else {
    target_fail_all(items, n, out, TARGET_UP);
    /* One bad item must not take the others along: they are told apart by sending them alone. */
    out->split = n > 1;
    if (n == 1)
      items[0].result = TARGET_REFUSED;
  }
}

void answer_judge(const struct answer *a, const char *request_id, const struct tm_secret *secret,
                  int64_t now, struct target_item *items, size_t n, struct target_outcome *out)
{
  *out = (struct target_outcome){.retry_after_s = -1};
  enum signature s = check_signature(a, request_id, secret, now);
  if (a->status >= 200 && a->status <= 299 && s == WRONG) {
    tm_fail(&out->error, -EACCES, "the answer's signature is wrong: it is not heard");
    target_fail_all(items, n, out, TARGET_DOWN);
  } else if (a->status >= 200 && a->status <= 299) {
    judge_success(a, s == RIGHT, items, n, out);
  } else if (a->status == 401) {
    judge_unauthorized(a, now, items, n, out);
  } else if (a->status != 409 || !judge_conflict(a, items, n)) {
    judge_failure(a, items, n, out);
  }
  if (a->retry_after_s >= 0 && (a->status < 200 || a->status > 299))
    out->retry_after_s = a->retry_after_s < 1                   ? 1
                         : a->retry_after_s > MAX_RETRY_AFTER_S ? MAX_RETRY_AFTER_S
                                                                : a->retry_after_s;
}
