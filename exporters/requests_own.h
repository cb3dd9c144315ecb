/* SPDX-License-Identifier: MIT */
#ifndef TM_REQUESTS_OWN_H
#define TM_REQUESTS_OWN_H

/* Between the files of the requests. Nobody else includes this. */

#include "exporters/located.h"
#include "exporters/requests.h"

#include <limits.h>

#define REQUESTS_NOTE_MAX (1 << 20) /* bytes of STATE/requests/ID.json */

/* One request that is being decided. */
struct answering {
  const struct tm_conf *conf;
  const struct tm_conf_target *target;
  char path[PATH_MAX];
  json_t *note;          /* the file: target, received_at, state, request, ... */
  const json_t *request; /* within note */
  unsigned purpose;
  struct located where; /* the device that is meant */
  int64_t now_ms;
};

/* Reads it. -EINVAL where it is decided already, or has expired. Release it in either case. */
int requests_open(struct answering *a, const struct tm_conf *conf, const char *id, int64_t now_ms,
                  struct tm_error *err);
void requests_release(struct answering *a);
/* Writes the note. */
int requests_save(const struct answering *a, struct tm_error *err);

/* 0 when the purpose of the request is on for its device and its target, else -EPERM. */
int requests_check_consent(const struct answering *a, struct tm_error *err);

/* Queues the answer, and marks the request as decided. reading: what tidemark-probe printed; where
 * it tells nothing, or is NULL, the answer is that the items are unavailable. */
int requests_post_refusal(struct answering *a, const char *why, struct tm_error *err);
int requests_post_answer(struct answering *a, const json_t *reading, struct tm_error *err);

/* Hands over the notes of all requests, by their ids. One that cannot be read does not keep back
 * the others: the first such is told at the end, by a negative errno with the reason in err. */
int requests_each(const struct tm_conf *conf, void (*take)(void *arg, const json_t *note),
                  void *arg, struct tm_error *err);

bool requests_is_over(const json_t *request, int64_t now);
/* A member that is a string, or "". */
const char *requests_text(const json_t *object, const char *key);

#endif
