/* SPDX-License-Identifier: MIT */
#ifndef TM_HTTP_URL_H
#define TM_HTTP_URL_H

#include "common/error.h"

#include <curl/curl.h>
#include <stdbool.h>

/* Which URLs may be asked, and what a link leads to. For http.c alone. */

/* Takes the URL of a destination into `url`: absolute, https (or http to this machine, or where
 * allow_plain says so), without user name and password. 0, or -EINVAL; a text that is no URL is not
 * repeated in err, for it may hold a password. */
int tm_url_begin(CURLU *url, const char *text, bool allow_plain, struct tm_error *err);

/* Where a link (NULL: none) leads from base, without fragment. 0 and *out, which is the caller's by
 * curl_url_cleanup(); -EXDEV for another origin, -EINVAL for no link, -ENOMEM. */
int tm_url_follow(CURLU *base, const char *link, CURLU **out, struct tm_error *err);

/* The whole of it; the caller frees by free(). NULL when memory is out. */
char *tm_url_text(CURLU *url);

#endif
