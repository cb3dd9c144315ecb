/* SPDX-License-Identifier: MIT */
#ifndef TM_SIGN_H
#define TM_SIGN_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Hashes and signatures, by libsodium. Messages are signed as Standard Webhooks 1.0 prescribes:
 * HMAC-SHA256 over "ID.TIMESTAMP.BODY", base64, with "v1," in front. A secret is base64 of 24 to
 * 64 bytes, usually written with "whsec_" in front.
 */

#define TM_SHA256_HEX 65 /* with NUL */

/* Lower-case hexadecimal. Returns out. */
char *tm_sha256_hex(char out[TM_SHA256_HEX], const void *data, size_t len);

/* A digest of several parts, each ended by a newline, so that ("ab", "c") is not ("a", "bc"). */
struct tm_digest {
  _Alignas(8) unsigned char state[256];
};
void tm_digest_init(struct tm_digest *d);
void tm_digest_line(struct tm_digest *d, const char *text);
char *tm_digest_hex(struct tm_digest *d, char out[TM_SHA256_HEX]);

struct tm_secret {
  unsigned char key[64];
  size_t len;
};
#define TM_SECRET_TEXT 64 /* of a new secret: "whsec_", 44 characters, NUL */

/* Reads a secret as written above. 0, or -EINVAL (the text is not repeated in err). */
int tm_secret_parse(struct tm_secret *secret, const char *text, struct tm_error *err);
/* The secret that lies in a file, see common/secret.h. */
int tm_secret_load(struct tm_secret *secret, const char *path, struct tm_error *err);
/* Makes a new secret of 32 random bytes. */
void tm_secret_make(char out[TM_SECRET_TEXT]);
void tm_secret_release(struct tm_secret *secret);

#define TM_SIGNATURE_SIZE 64 /* "v1,", 44 characters, NUL */
/* The value of the webhook-signature header. Returns out. */
char *tm_sign(char out[TM_SIGNATURE_SIZE], const struct tm_secret *secret, const char *id,
              int64_t timestamp, const void *body, size_t len);
/* True when one of the signatures of the header (separated by blanks) is right; compares in
 * constant time. The age of the timestamp is the caller's business. */
bool tm_sign_verify(const char *header, const struct tm_secret *secret, const char *id,
                    int64_t timestamp, const void *body, size_t len);

/* HMAC-SHA256 of "LABEL\nTEXT" as hexadecimal, for pseudonyms. Returns out. */
char *tm_hmac_hex(char out[TM_SHA256_HEX], const struct tm_secret *secret, const char *label,
                  const char *text);

#endif
