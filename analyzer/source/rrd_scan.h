/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_SCAN_H
#define TM_RRD_SCAN_H

#include "analyzer/source/refusals.h"
#include "analyzer/source/rrd.h"
#include "analyzer/source/rrd_recipe.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The devices of a data directory: their names and places, without opening a file. Texts are
 * offsets into one block, so that a device costs some 60 bytes.
 */
struct rrd_entry {
  uint32_t host;   /* its name */
  uint32_t folder; /* collectd's folder; for a loose file its name */
  uint32_t place;  /* the folder that holds the files, relative to the root ("." for the root) */
  uint32_t only;   /* the one file that counts; 0: all of the folder */
  const struct rrd_recipe *recipe;
};

struct rrd_scan {
  int root;   /* open folder */
  char *path; /* of it, as it was given */
  char *text;
  size_t text_len, text_cap;
  struct rrd_entry *entry;
  size_t n, cap;
  bool elsewhere; /* there are devices, of another share */
  struct refusals refused;
};

/* 0; -ENOENT when there is nothing, or the errno of the path, with the reason in err. Release in
 * either case. */
int rrd_scan(struct rrd_scan *scan, const struct rrd_options *options, struct tm_error *err);
void rrd_scan_release(struct rrd_scan *scan);

/* A text by its offset. */
const char *rrd_scan_text(const struct rrd_scan *scan, uint32_t at);

#endif
