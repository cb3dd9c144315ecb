/* SPDX-License-Identifier: MIT */
#ifndef TM_RRDCACHED_H
#define TM_RRDCACHED_H

#include "analyzer/source/rrd_scan.h"

/*
 * Asks rrdcached at a Unix socket ("/run/rrdcached.sock", "unix:/run/rrdcached.sock") to write what
 * it holds for the files of these devices, and waits until it has: FLUSH, many at once in flight.
 * Files that it does not know are no failure. 0, or a negative errno with the socket and the reason
 * in err.
 */
int rrdcached_flush(const char *socket_path, const struct rrd_scan *scan, struct tm_error *err);

#endif
