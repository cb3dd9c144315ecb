/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/secret.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

void secret_make(char out[SECRET_SIZE], const char *prefix)
{
  unsigned char bytes[SECRET_BYTES];
  randombytes_buf(bytes, sizeof(bytes));
  size_t len = (size_t)snprintf(out, 5, "%s", prefix);
  sodium_bin2base64(out + len, SECRET_SIZE - len, bytes, sizeof(bytes),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  sodium_memzero(bytes, sizeof(bytes));
}

char *secret_hash(char out[TM_SHA256_HEX], const char *secret)
{
  return tm_sha256_hex(out, secret, strlen(secret));
}

char *secret_csrf(char out[TM_SHA256_HEX], const char *session)
{
  static const char label[] = "csrf";
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, (const unsigned char *)session, strlen(session));
  crypto_auth_hmacsha256_update(&state, (const unsigned char *)label, sizeof(label) - 1);
  crypto_auth_hmacsha256_final(&state, mac);
  return sodium_bin2hex(out, TM_SHA256_HEX, mac, sizeof(mac));
}
