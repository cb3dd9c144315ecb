/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_BUCKETS_H
#define TM_DESK_BUCKETS_H

#include "contrib/desk/store/store.h"

/*
 * Token buckets in the store, so that they outlive a restart and are shared by several desks: size
 * tokens at first, and so many again within per_s. One is taken before a password is looked at, and
 * given back when it was right: tries at the same time do not get by.
 */
struct bucket {
  const char *kind; /* "account", "address" */
  const char *name; /* of any length: its hash is what is kept */
  double size;
  int64_t per_s;
};

/* 0, or -EDQUOT with the seconds to wait in *wait_s. Within a piece of work; nothing of the bucket
 * is changed then. */
int bucket_take(struct db *db, const struct bucket *bucket, int64_t now, int64_t *wait_s,
                struct tm_error *err);
int bucket_give_back(struct db *db, const struct bucket *bucket, struct tm_error *err);

/* What is left of a bucket that had left_over at a time. Pure. */
double bucket_level(const struct bucket *bucket, double left_over, int64_t at, int64_t now);

#endif
