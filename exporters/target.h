/* SPDX-License-Identifier: MIT */
#ifndef TM_TARGET_H
#define TM_TARGET_H

#include "common/conf.h"
#include "common/error.h"
#include "common/sign.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where items go. Each kind of target is one file in exporters/target/ with one struct target_ops;
 * what becomes of an item afterwards is decided by push alone.
 */

enum target_result {
  TARGET_RETRY,    /* nothing is known, or it was asked to come again: it stays */
  TARGET_ACCEPTED, /* the receiver has it, now or since an earlier try */
  TARGET_REFUSED,  /* the receiver will never take it: dead/ */
};

struct target_item {
  const char *key, *kind, *device, *sha256;
  const char *body;
  size_t body_len;
  /* filled by send: */
  enum target_result result;
  char reason[256];            /* why not, "" when accepted */
  char receipt[TM_SHA256_HEX]; /* the hash that the receiver says it got, "" when it says none */
};

enum target_health {
  TARGET_UP,
  TARGET_DOWN, /* it does not answer, or says that all must wait */
  TARGET_STOP, /* it knows us no more (401, 403, 404, 410): somebody must look */
};

struct target_outcome {
  enum target_health health;
  int64_t retry_after_s; /* asked for by the receiver; -1: not */
  int64_t skew_s;        /* our clock less the receiver's, when it refused us for that; else 0 */
  bool split;            /* the request as a whole was refused: try its items one by one */
  bool ours;             /* this side's own disk failed, and not the receiver */
  json_t *requests;      /* asked for by service, signed; NULL: none. The caller's reference */
  struct tm_error error; /* code 0 while all is well */
};

struct target;

struct target_ops {
  /* Reads secrets and the like; connects nowhere. *state is this file's own. */
  int (*open)(void **state, const struct tm_conf_target *conf, struct tm_error *err);
  /* Sends n items (1 where batch is 1) in one exchange. Fills results and outcome, never fails
   * otherwise. */
  void (*send)(void *state, struct target_item *items, size_t n, int64_t now,
               struct target_outcome *out);
  /* Asks for requests; NULL where that means nothing. */
  void (*poll)(void *state, int64_t now, struct target_outcome *out);
  /* Prints on standard output what send would ask of the server, and asks it nothing but what it
   * has to read for that. NULL: the body, as it is, is what leaves. */
  int (*preview)(void *state, const struct target_item *item, struct tm_error *err);
  void (*close)(void *state);
};

extern const struct target_ops target_file_ops, target_webhook_ops, target_smtp_ops,
    target_tryton_ops, target_mapped_ops;

/* The one for a target: by its type, and a webhook with a mapping has its own. */
const struct target_ops *target_ops_of(const struct tm_conf_target *target);

/* Sets all results and the outcome to one failure. */
void target_fail_all(struct target_item *items, size_t n, struct target_outcome *out,
                     enum target_health health);

#endif
