/* SPDX-License-Identifier: MIT */
/* covers: plugins/credentials.c */
/* A file of credentials: read, or refused by a message that tells no secret of it. */
#include "plugins/credentials.h"

#include "tests/lib/fuzz_folder.h"

#include <assert.h>
#include <stdbool.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The seeds have this word as a secret, and as nothing else. */
static const char word[] = "s3kr3tWord";

/* Whether what stands there is a key of the file, and not a piece of a title or of a comment. */
static bool is_key(const uint8_t *data, const uint8_t *at)
{
  bool inside = false;
  for (const uint8_t *p = data; p < at; p++) {
    if (strchr("\\'#/", *p) != NULL)
      return false; /* may be either */
    inside ^= *p == '"';
  }
  return !inside;
}

static bool is_secret(const uint8_t *data, size_t size)
{
  static const char *const before[] = {"password = \"", "community = \"", "password = open "};
  const uint8_t *p = data, *end = data + size;
  while ((p = memmem(p, (size_t)(end - p), word, strlen(word))) != NULL) {
    bool good = false;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
      size_t len = strlen(before[i]);
      good = good || ((size_t)(p - data) >= len && memcmp(p - len, before[i], len) == 0 &&
                      is_key(data, p - len));
    }
    if (!good)
      return false;
    p += strlen(word);
  }
  return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct credentials *c = NULL;
  struct tm_error err = {0};
  char path[PATH_MAX];
  fuzz_file("credentials", data, size);
  int rc = credentials_load(&c, fuzz_path(path, "credentials"), &err);
  assert(rc == 0 || (err.code == rc && err.text[0] != '\0'));
  assert(!is_secret(data, size) || strstr(err.text, word) == NULL);
  if (rc == 0) {
    credentials_find(c, "array-01.example.com", 443);
    credentials_find(c, "10.1.9.7", 161);
    const struct credential *found = credentials_find(c, "10.1.2.3", 1161);
    assert(found == NULL || found->name != NULL);
  }
  credentials_free(c);
  return 0;
}
