/* SPDX-License-Identifier: MIT */
#include "common/tls.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int check_readable(const char *path, struct tm_error *err)
{
  if (path != NULL && access(path, R_OK) < 0)
    return tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  return 0;
}

static CURLcode set_trust(CURL *c, const struct tm_tls *t)
{
  CURLcode rc = curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (rc == CURLE_OK)
    rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
  if (rc == CURLE_OK)
    rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
  if (rc == CURLE_OK && t->ca_file != NULL)
    rc = curl_easy_setopt(c, CURLOPT_CAINFO, t->ca_file);
  if (rc == CURLE_OK && t->crl_file != NULL)
    rc = curl_easy_setopt(c, CURLOPT_CRLFILE, t->crl_file);
  if (rc == CURLE_OK && t->ocsp_stapling)
    rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYSTATUS, 1L);
  return rc;
}

static CURLcode set_identity(CURL *c, const struct tm_tls *t)
{
  CURLcode rc = CURLE_OK;
  if (t->client_cert != NULL)
    rc = curl_easy_setopt(c, CURLOPT_SSLCERT, t->client_cert);
  if (rc == CURLE_OK && t->client_cert != NULL)
    rc =
        curl_easy_setopt(c, CURLOPT_SSLKEY, t->client_key != NULL ? t->client_key : t->client_cert);
  return rc;
}

/* The self-signed certificate of a device: its key is known, which is more than any signature. */
static CURLcode set_pin(CURL *c, const struct tm_tls *t)
{
  CURLcode rc = curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, t->pinned_key);
  if (rc == CURLE_OK)
    rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
  if (rc == CURLE_OK)
    rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
  return rc;
}

int tm_tls_apply(void *curl, const struct tm_tls *t, struct tm_error *err)
{
  if (t->pinned_key != NULL && strncmp(t->pinned_key, "sha256//", 8) != 0)
    return tm_fail(err, -EINVAL, "a pinned key begins with sha256//"); /* else it names a file */
  int rc = check_readable(t->ca_file, err);
  if (rc == 0)
    rc = check_readable(t->crl_file, err);
  if (rc < 0)
    return rc;
  CURLcode code = set_trust(curl, t);
  if (code == CURLE_OK)
    code = set_identity(curl, t);
  if (code == CURLE_OK && t->pinned_key != NULL)
    code = set_pin(curl, t);
  if (code == CURLE_OUT_OF_MEMORY)
    return tm_fail(err, -ENOMEM, "out of memory");
  return code != CURLE_OK ? tm_fail(err, -EINVAL, "TLS: %s", curl_easy_strerror(code)) : 0;
}
