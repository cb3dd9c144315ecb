/* SPDX-License-Identifier: MIT */
#include "common/http_url.h"

#include "common/address.h"
#include "common/http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* A part of an URL; the caller frees by curl_free(). NULL when it has none, and when memory is
 * short: then *rc (which may be NULL) is -ENOMEM. */
static char *part(CURLU *url, CURLUPart what, unsigned flags, int *rc)
{
  char *text = NULL;
  CURLUcode code = curl_url_get(url, what, &text, flags);
  if (code == CURLUE_OUT_OF_MEMORY && rc != NULL)
    *rc = -ENOMEM;
  return code == CURLUE_OK ? text : NULL;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart what)
{
  char *x = part(a, what, CURLU_DEFAULT_PORT, NULL);
  char *y = part(b, what, CURLU_DEFAULT_PORT, NULL);
  bool same = x != NULL && y != NULL && strcasecmp(x, y) == 0;
  curl_free(x);
  curl_free(y);
  return same;
}

static bool same_origin(CURLU *a, CURLU *b)
{
  return same_part(a, b, CURLUPART_SCHEME) && same_part(a, b, CURLUPART_HOST) &&
         same_part(a, b, CURLUPART_PORT);
}

static bool is_loopback(CURLU *url, int *rc)
{
  char *host = part(url, CURLUPART_HOST, 0, rc);
  bool yes = host != NULL && tm_address_is_loopback(host, strlen(host));
  curl_free(host);
  return yes;
}

bool tm_http_is_loopback(const char *url)
{
  CURLU *u = curl_url();
  bool yes =
      u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && is_loopback(u, NULL);
  curl_url_cleanup(u);
  return yes;
}

int tm_url_begin(CURLU *url, const char *text, bool allow_plain, struct tm_error *err)
{
  CURLUcode rc = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
  if (rc != CURLUE_OK) /* the text is not repeated: it may hold a password */
    return tm_fail(err, rc == CURLUE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL, "not an URL: %s",
                   curl_url_strerror(rc));
  int status = 0;
  char *scheme = part(url, CURLUPART_SCHEME, 0, &status);
  char *user = part(url, CURLUPART_USER, 0, &status);
  char *password = part(url, CURLUPART_PASSWORD, 0, &status);
  bool here = is_loopback(url, &status);
  if (status < 0) /* what it has is not known */
    tm_fail(err, status, "out of memory");
  else if (user != NULL || password != NULL)
    status = tm_fail(err, -EINVAL, "an URL must not hold a user name or password");
  else if (scheme != NULL && strcmp(scheme, "http") == 0 && !allow_plain && !here)
    status =
        tm_fail(err, -EINVAL, "%s: plain http is for loopback addresses only: use https", text);
  else if (scheme == NULL || (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0))
    status = tm_fail(err, -EINVAL, "%s: neither https nor http", text);
  curl_free(scheme);
  curl_free(user);
  curl_free(password);
  return status;
}

/* As much of a link as leaves room for what is wrong with it. */
#define LINK "%.300s"

int tm_url_follow(CURLU *base, const char *link, CURLU **out, struct tm_error *err)
{
  CURLU *url = curl_url_dup(base);
  if (url == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int status = 0;
  CURLUcode rc = CURLUE_OK;
  if (link != NULL)
    rc = curl_url_set(url, CURLUPART_URL, link,
                      CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER | CURLU_URLENCODE);
  if (rc == CURLUE_OUT_OF_MEMORY)
    status = tm_fail(err, -ENOMEM, "out of memory");
  else if (rc != CURLUE_OK)
    status = tm_fail(err, -EINVAL, LINK ": not a link: %s", link, curl_url_strerror(rc));
  errno = 0;
  if (status == 0 && !same_origin(base, url))
    status = errno == ENOMEM ? tm_fail(err, -ENOMEM, "out of memory")
                             : tm_fail(err, -EXDEV, LINK ": leads to another origin", link);
  if (status < 0) {
    curl_url_cleanup(url);
    return status;
  }
  curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
  *out = url;
  return 0;
}

char *tm_url_text(CURLU *url)
{
  char *text = part(url, CURLUPART_URL, 0, NULL);
  char *copy = text != NULL ? strdup(text) : NULL; /* so that free() fits */
  curl_free(text);
  return copy;
}
