/* SPDX-License-Identifier: MIT */
#ifndef TM_FETCHER_H
#define TM_FETCHER_H

#include "common/buf.h"
#include "common/conf.h"
#include "common/error.h"

/*
 * A process that makes HTTP requests (analyzer/fetch.c) to one server, so that this program need
 * not load libcurl. One thread, one fetcher.
 */
struct fetcher;

/* Starts it for requests below this URL (http or https, ends with '/'). access: what goes with each
 * of them; its secrets are read by the helper alone. NULL: nothing. Call it before other threads
 * are started. */
int fetcher_start(struct fetcher **f, const char *base_url, const struct tm_conf_prometheus *access,
                  struct tm_error *err);
void fetcher_stop(struct fetcher *f); /* NULL is fine; waits for its end */

/*
 * Asks for path by GET, or with form != NULL (already encoded) by POST. 0 once an answer is in body
 * (emptied first) with its *status; else a negative errno with "URL: why" as of tm_http_do(), or
 * -EPIPE when the helper has ended.
 */
int fetcher_ask(struct fetcher *f, const char *path, const char *form, long *status,
                struct tm_buf *body, struct tm_error *err);

#endif
