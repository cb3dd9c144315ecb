/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/pack.h"

#include "common/embed.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { LEVEL = 1, SIZE_MAX_READ = 4 << 20 };

TM_EMBED(desk_dictionary, "contrib/desk/store/dictionary-1.txt");

static pthread_once_t once = PTHREAD_ONCE_INIT;
static ZSTD_CDict *writes;
static ZSTD_DDict *reads;
static pthread_key_t own;
static bool has_own;

struct worker {
  ZSTD_CCtx *writer;
  ZSTD_DCtx *reader;
};

static void free_worker(void *arg)
{
  struct worker *w = arg;
  ZSTD_freeCCtx(w->writer);
  ZSTD_freeDCtx(w->reader);
  free(w);
}

static void set_up(void)
{
  writes = ZSTD_createCDict(desk_dictionary_text, desk_dictionary_size, LEVEL);
  reads = ZSTD_createDDict(desk_dictionary_text, desk_dictionary_size);
  has_own = pthread_key_create(&own, free_worker) == 0;
}

/* What belongs to no thread's end: to the program's. */
static void __attribute__((destructor)) tear_down(void)
{
  struct worker *w = has_own ? pthread_getspecific(own) : NULL;
  if (w != NULL) {
    pthread_setspecific(own, NULL);
    free_worker(w);
  }
  ZSTD_freeCDict(writes);
  ZSTD_freeDDict(reads);
}

/* NULL without memory. */
static struct worker *own_worker(void)
{
  pthread_once(&once, set_up);
  if (!has_own || writes == NULL || reads == NULL)
    return NULL;
  struct worker *w = pthread_getspecific(own);
  if (w != NULL)
    return w;
  w = calloc(1, sizeof(*w));
  if (w != NULL && pthread_setspecific(own, w) != 0) {
    free(w);
    w = NULL;
  }
  return w;
}

void pack_bytes(struct tm_buf *out, const void *data, size_t len)
{
  struct worker *w = own_worker();
  if (w != NULL && w->writer == NULL)
    w->writer = ZSTD_createCCtx();
  size_t room = ZSTD_compressBound(len);
  if (w == NULL || w->writer == NULL || tm_buf_reserve(out, room) < 0)
    return;
  size_t n = ZSTD_compress_usingCDict(w->writer, out->ptr, room, data, len, writes);
  if (!ZSTD_isError(n) && n < len)
    out->len = n;
  out->ptr[out->len] = '\0';
}

static int read_zstd(char *out, const void *data, size_t len, size_t size)
{
  struct worker *w = own_worker();
  if (w != NULL && w->reader == NULL)
    w->reader = ZSTD_createDCtx();
  if (w == NULL || w->reader == NULL)
    return -ENOMEM;
  return ZSTD_decompress_usingDDict(w->reader, out, size, data, len, reads) == size ? 0 : -EIO;
}

static int read_deflate(char *out, const void *data, size_t len, size_t size)
{
  uLongf n = size;
  return uncompress((Bytef *)out, &n, data, len) == Z_OK && n == size ? 0 : -EIO;
}

static int read_plain(char *out, const void *data, size_t len, size_t size)
{
  if (len == size)
    memcpy(out, data, len);
  return len == size ? 0 : -EIO;
}

int pack_read(struct tm_buf *out, const char *encoding, const void *data, size_t len, size_t size,
              struct tm_error *err)
{
  static const struct {
    const char *name;
    int (*read)(char *out, const void *data, size_t len, size_t size);
  } ways[] = {{PACK_ZSTD, read_zstd}, {"deflate", read_deflate}, {PACK_PLAIN, read_plain}};
  size_t i = 0, n = sizeof(ways) / sizeof(ways[0]);
  while (i < n && strcmp(ways[i].name, encoding) != 0)
    i++;
  if (i == n)
    return tm_fail(err, -EPROTO, "kept as '%.20s', which only a later version can read", encoding);
  if (size > SIZE_MAX_READ)
    return tm_fail(err, -EIO, "damaged: it would be %zu bytes", size);
  if (tm_buf_reserve(out, size) < 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = ways[i].read(out->ptr, data, len, size);
  if (rc < 0)
    return tm_fail(err, rc, rc == -ENOMEM ? "out of memory" : "damaged");
  out->len = size;
  out->ptr[size] = '\0';
  return 0;
}
