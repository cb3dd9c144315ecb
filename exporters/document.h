/* SPDX-License-Identifier: MIT */
#ifndef TM_DOCUMENT_H
#define TM_DOCUMENT_H

#include "common/conf.h"
#include "common/error.h"
#include "exporters/consent.h"
#include "exporters/envelope.h"
#include "exporters/schema.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * From a summary, as the analyzer wrote it, to what may leave for one target: queue and preview
 * both go this way, so that a preview is what will be sent.
 */
struct document_maker {
  const struct tm_conf *conf;
  struct consent consent;
  struct schema summary, history;
  struct tm_secret pseudonym_key;
};

int document_maker_init(struct document_maker *m, const struct tm_conf *conf, struct tm_error *err);
void document_maker_release(struct document_maker *m);

/* What the maker is asked for. */
struct document_order {
  const struct tm_conf_target *target;
  const json_t *summary;      /* the source */
  const json_t *acknowledged; /* {"HOST/DEVICE":{"history_to":"2026-11-19"}}, or NULL */
  json_t *left_out;           /* NULL, or an array that gets "PATH: why" */
};

struct document {
  char device[700];           /* "HOST/DEVICE" in clear, for this site's own use; at a vendor
                                 "CUSTOMER/SITE/HOST/DEVICE" */
  char source[TM_SHA256_HEX]; /* digest of the content with its whole history */
  char history_to[16];        /* newest day that it holds; "" for none */
  unsigned purposes;          /* for which it was made; 0: nothing may leave */
  struct envelope summary;    /* its body is empty when nothing may leave */
  struct envelope history;    /* the whole history, once; its body is empty otherwise */
};

/* 0 also where nothing may leave. -EBADMSG with "HOST/DEVICE: PATH: what" for what is not a summary
 * of this site. */
int document_make(struct document *out, struct document_maker *m,
                  const struct document_order *order, struct tm_error *err);
void document_release(struct document *d);

#define DOCUMENT_HISTORY_DAYS 35 /* most days in a summary */

#endif
