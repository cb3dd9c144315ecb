/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CREDENTIAL_H
#define TM_DESK_CREDENTIAL_H

#include "common/sign.h"
#include "contrib/desk/store/store.h"

#include <stdint.h>

/*
 * By what a site is known: a bearer token or its client certificate, and the secret with which its
 * messages are signed. Whatever it sends belongs to the tenant that is found here.
 */
#define CREDENTIAL_PREFIX "tdm_" /* of a site's token */
#define CREDENTIAL_ID     260    /* bytes of a customer's or site's id: 64 characters */

struct credential {
  int64_t id;
  char customer[CREDENTIAL_ID], site[CREDENTIAL_ID];
  char secret[128]; /* whsec_... */
};

/* Those that are valid now. -ENOENT where there is none: revoked, run out, or never given; all of
 * these look alike. */
int credential_by_token(struct store *store, const char *token, int64_t now, struct credential *out,
                        struct tm_error *err);
/* sha256: of the certificate in DER, in lower-case hexadecimal. */
int credential_by_certificate(struct store *store, const char *sha256, int64_t now,
                              struct credential *out, struct tm_error *err);
int credential_by_id(struct store *store, int64_t id, int64_t now, struct credential *out,
                     struct tm_error *err);

/* Notes, in the transaction that keeps what came, that it was used. The first use ends the older
 * ones of the same site and target, CREDENTIAL_GRACE_S later, for what is under way. */
enum { CREDENTIAL_GRACE_S = 300 };
int credential_used(struct db *db, const struct credential *c, int64_t now, struct tm_error *err);

#endif
