/* SPDX-License-Identifier: MIT */
#include "contrib/desk/people/people.h"

#include "common/sign.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN = 4096, HASHING = 2, HASH_WAITING = 2 };

struct people {
  pthread_mutex_t lock;
  pthread_cond_t hashed;
  unsigned hashing, waiting;
  char nobody[crypto_pwhash_STRBYTES];
  uint64_t seen[SEEN]; /* by hash; one that was overwritten is written down again, no more */
};

struct people *people_new(void)
{
  struct people *p = calloc(1, sizeof(*p));
  unsigned char random[32];
  if (p == NULL)
    return NULL;
  randombytes_buf(random, sizeof(random));
  if (crypto_pwhash_str(p->nobody, (const char *)random, sizeof(random),
                        crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    free(p);
    return NULL;
  }
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->hashed, NULL);
  return p;
}

void people_free(struct people *p)
{
  if (p == NULL)
    return;
  pthread_cond_destroy(&p->hashed);
  pthread_mutex_destroy(&p->lock);
  free(p);
}

bool people_sees(struct people *p, int64_t user_id, const char *customer, int64_t now)
{
  char text[256], hex[TM_SHA256_HEX];
  int len = snprintf(text, sizeof(text), "%lld %lld %.200s", (long long)user_id,
                     (long long)(now / 3600), customer);
  tm_sha256_hex(hex, text, (size_t)len);
  hex[16] = '\0';
  uint64_t key = strtoull(hex, NULL, 16);
  pthread_mutex_lock(&p->lock);
  uint64_t *place = &p->seen[key % SEEN];
  bool first = *place != key;
  *place = key;
  pthread_mutex_unlock(&p->lock);
  return first;
}

bool people_hash_begin(struct people *p)
{
  pthread_mutex_lock(&p->lock);
  bool room = p->hashing < HASHING || p->waiting < HASH_WAITING;
  if (room) {
    p->waiting++;
    while (p->hashing == HASHING)
      pthread_cond_wait(&p->hashed, &p->lock);
    p->waiting--;
    p->hashing++;
  }
  pthread_mutex_unlock(&p->lock);
  return room;
}

void people_hash_end(struct people *p)
{
  pthread_mutex_lock(&p->lock);
  p->hashing--;
  pthread_cond_signal(&p->hashed);
  pthread_mutex_unlock(&p->lock);
}

const char *people_nobody(const struct people *p)
{
  return p->nobody;
}
