/* SPDX-License-Identifier: MIT */
#include "common/sign.h"

#include "common/conf.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_SECRET_BYTES = 24, MAX_SECRET_TEXT = 256, NEW_SECRET_BYTES = 32 };
#define PREFIX "whsec_"

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(((struct tm_digest *)0)->state),
               "the state fits");

/* Idempotent; without it random numbers would not be ready. */
static void init(void)
{
  if (sodium_init() < 0)
    abort(); /* no random numbers: nothing here may go on */
}

char *tm_sha256_hex(char out[TM_SHA256_HEX], const void *data, size_t len)
{
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, data, len);
  return sodium_bin2hex(out, TM_SHA256_HEX, hash, sizeof(hash));
}

void tm_digest_init(struct tm_digest *d)
{
  crypto_hash_sha256_init((crypto_hash_sha256_state *)d->state);
}

void tm_digest_line(struct tm_digest *d, const char *text)
{
  crypto_hash_sha256_state *s = (crypto_hash_sha256_state *)d->state;
  crypto_hash_sha256_update(s, (const unsigned char *)text, strlen(text));
  crypto_hash_sha256_update(s, (const unsigned char *)"\n", 1);
}

char *tm_digest_hex(struct tm_digest *d, char out[TM_SHA256_HEX])
{
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_final((crypto_hash_sha256_state *)d->state, hash);
  return sodium_bin2hex(out, TM_SHA256_HEX, hash, sizeof(hash));
}

int tm_secret_parse(struct tm_secret *secret, const char *text, struct tm_error *err)
{
  struct tm_secret s = {0};
  if (strncmp(text, PREFIX, strlen(PREFIX)) == 0)
    text += strlen(PREFIX);
  size_t len = strnlen(text, MAX_SECRET_TEXT);
  const char *end = NULL;
  int rc = sodium_base642bin(s.key, sizeof(s.key), text, len, NULL, &s.len, &end,
                             sodium_base64_VARIANT_ORIGINAL);
  if (rc != 0 || end != text + len || text[len] != '\0' || s.len < MIN_SECRET_BYTES) {
    sodium_memzero(&s, sizeof(s));
    return tm_fail(err, -EINVAL, "not a secret: \"whsec_\" and base64 of %d to %zu bytes is wanted",
                   MIN_SECRET_BYTES, sizeof(s.key));
  }
  *secret = s;
  sodium_memzero(&s, sizeof(s));
  return 0;
}

int tm_secret_load(struct tm_secret *secret, const char *path, struct tm_error *err)
{
  struct tm_buf text = TM_BUF_INIT(MAX_SECRET_TEXT);
  int rc = tm_secret_read(path, &text, err);
  if (rc == 0) {
    rc = tm_secret_parse(secret, text.ptr, err);
    if (rc < 0)
      tm_fail_prefix(err, path);
  }
  if (text.ptr != NULL)
    sodium_memzero(text.ptr, text.len);
  tm_buf_release(&text);
  return rc;
}

void tm_secret_make(char out[TM_SECRET_TEXT])
{
  unsigned char key[NEW_SECRET_BYTES];
  init();
  randombytes_buf(key, sizeof(key));
  snprintf(out, TM_SECRET_TEXT, PREFIX);
  sodium_bin2base64(out + strlen(PREFIX), TM_SECRET_TEXT - strlen(PREFIX), key, sizeof(key),
                    sodium_base64_VARIANT_ORIGINAL);
  sodium_memzero(key, sizeof(key));
}

void tm_secret_release(struct tm_secret *secret)
{
  sodium_memzero(secret, sizeof(*secret));
}

char *tm_sign(char out[TM_SIGNATURE_SIZE], const struct tm_secret *secret, const char *id,
              int64_t timestamp, const void *body, size_t len)
{
  crypto_auth_hmacsha256_state s;
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  char time[32];
  int n = snprintf(time, sizeof(time), ".%lld.", (long long)timestamp);
  crypto_auth_hmacsha256_init(&s, secret->key, secret->len);
  crypto_auth_hmacsha256_update(&s, (const unsigned char *)id, strlen(id));
  crypto_auth_hmacsha256_update(&s, (const unsigned char *)time, (size_t)n);
  crypto_auth_hmacsha256_update(&s, body, len);
  crypto_auth_hmacsha256_final(&s, mac);
  snprintf(out, TM_SIGNATURE_SIZE, "v1,");
  sodium_bin2base64(out + 3, TM_SIGNATURE_SIZE - 3, mac, sizeof(mac),
                    sodium_base64_VARIANT_ORIGINAL);
  sodium_memzero(&s, sizeof(s));
  return out;
}

bool tm_sign_verify(const char *header, const struct tm_secret *secret, const char *id,
                    int64_t timestamp, const void *body, size_t len)
{
  char want[TM_SIGNATURE_SIZE];
  tm_sign(want, secret, id, timestamp, body, len);
  size_t want_len = strlen(want);
  bool right = false;
  for (const char *p = header; *p != '\0';) {
    p += strspn(p, " ");
    size_t n = strcspn(p, " ");
    if (n == want_len && sodium_memcmp(p, want, n) == 0)
      right = true;
    p += n;
  }
  return right;
}

char *tm_hmac_hex(char out[TM_SHA256_HEX], const struct tm_secret *secret, const char *label,
                  const char *text)
{
  crypto_auth_hmacsha256_state s;
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_init(&s, secret->key, secret->len);
  crypto_auth_hmacsha256_update(&s, (const unsigned char *)label, strlen(label));
  crypto_auth_hmacsha256_update(&s, (const unsigned char *)"\n", 1);
  crypto_auth_hmacsha256_update(&s, (const unsigned char *)text, strlen(text));
  crypto_auth_hmacsha256_final(&s, mac);
  return sodium_bin2hex(out, TM_SHA256_HEX, mac, sizeof(mac));
}
