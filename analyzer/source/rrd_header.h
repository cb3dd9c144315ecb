/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_HEADER_H
#define TM_RRD_HEADER_H

#include "analyzer/source/rrd_file.h"

/*
 * The header of an RRD, and how bytes of one are read: what rrd_file.c, which opens files and gives
 * their rows, stands on. Source of the layout: RRDtool's rrd_format.h.
 */

/* Reads the header of the open file f, checks every field of it against the file's size, and sets
 * step, last_update, n_ds, n_archives and archive. Files whose last update is later than latest (0:
 * no limit) are refused. 0 or a negative errno with the reason in err. */
int rrd_header_read(struct rrd_file *f, int64_t latest, struct tm_error *err);

/* Exactly n bytes at offset: 0, or a negative errno with the reason in err (-EBADMSG: the file ends
 * before). */
int rrd_read_at(const struct rrd_file *f, void *to, size_t n, uint64_t offset,
                struct tm_error *err);

/* The file is damaged, or is no RRD: "FOLDER/NAME: why" in err. Returns -EBADMSG. */
int rrd_refuse(const struct rrd_file *f, struct tm_error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
