/* SPDX-License-Identifier: MIT */
#ifndef TM_TRYTON_SALES_H
#define TM_TRYTON_SALES_H

#include "common/error.h"
#include "exporters/tryton/rpc.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Recommendations as leads of Tryton's sale_opportunity: one for each key, found by `reference`.
 * It is created only where there is none, and written only while it is a lead that no person has
 * changed. What we know of each is kept in `known` (a note of state.h, see sales_read_back()), so
 * that what was won, lost, cancelled or deleted is not offered again.
 */
struct sales {
  struct tryton_rpc *rpc; /* borrowed */
  bool create_parties;    /* a customer that Tryton does not know is created */
  json_t *known;          /* {"read_to":TIME,"opportunities":{KEY:{...}}} */
  bool dirty;             /* known has changed */
  json_t *parties;        /* what was looked up in this session */
  json_t *products;
  char currency[4];
  int digits; /* that amounts of the company may have; -1: not asked yet */
};

/* A file that goes along with a recommendation. */
struct sales_file {
  const char *name; /* in Tryton; the same name is the same attachment */
  const void *data;
  size_t len;
};

/* What known holds is the caller's, before and after. */
void sales_init(struct sales *s, struct tryton_rpc *rpc, json_t *known, bool create_parties);
void sales_release(struct sales *s);

/*
 * Offers one recommendation of a summary, or brings its lead up to date. `warnings` (an array) gets
 * a text for each line that could not be given: an SKU that Tryton does not know, or knows twice.
 * Errors as tryton_call(), and -EBADMSG where the recommendation or the customer is none that can
 * be offered.
 */
int sales_offer(struct sales *s, const json_t *summary, const json_t *recommendation,
                const struct sales_file *files, size_t files_len, json_t *warnings,
                struct tm_error *err);

/*
 * To be said after the offers of a summary: what was offered for its device before, and what it no
 * longer advises, is marked as such, in text and by a probability of 0, while it is a lead that no
 * person has changed. Advised again, it is brought up to date by the offer as any other. A summary
 * that is older than the offer, or without advice at all, says nothing. Errors as tryton_call().
 */
int sales_withdraw(struct sales *s, const json_t *summary, struct tm_error *err);

/* Reads the states of our opportunities that have changed since the last time into known. */
int sales_read_back(struct sales *s, struct tm_error *err);

#endif
