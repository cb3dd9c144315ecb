/* SPDX-License-Identifier: MIT */
#ifndef TM_TLS_H
#define TM_TLS_H

#include "common/error.h"

#include <stdbool.h>

/*
 * How the other end of a connection by libcurl must prove itself, and what is shown of this one.
 * TLS 1.2 at least; the certificate and its name are verified always, but for a pinned key.
 */
struct tm_tls {
  const char *ca_file;     /* PEM; NULL: the system's certificates */
  const char *crl_file;    /* PEM, the authorities' lists of revoked certificates; NULL: not looked
                              at. Taken as they are: with GnuTLS neither their signature nor their
                              time is checked. */
  bool ocsp_stapling;      /* the server must bring its authority's own word, by OCSP, that its
                              certificate is still good; nobody else is asked */
  const char *client_cert; /* PEM; NULL: none */
  const char *client_key;  /* PEM; NULL: within client_cert */
  const char *pinned_key;  /* "sha256//BASE64" of the server's public key: it and nothing else is
                              accepted, whoever signed its certificate; NULL: verify as usual */
};

/*
 * Sets a handle of libcurl accordingly; it copies the strings. 0, or with the reason in err -EINVAL
 * (no pinned key, or something that this libcurl was built without: to go on would be less safe
 * than was asked for), -ENOMEM, or "FILE: why" with its errno for ca_file and crl_file, which a
 * person should hear of before the first connection.
 */
int tm_tls_apply(void *curl, const struct tm_tls *tls, struct tm_error *err);

#endif
