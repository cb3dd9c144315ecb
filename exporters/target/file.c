/* SPDX-License-Identifier: MIT */
/* A drop directory, for sites without a line: KEY.json is the event, KEY.sig its signature as the
 * three headers that a webhook would have carried. */
#include "exporters/target.h"

#include "common/file.h"
#include "exporters/envelope.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct folder {
  const char *directory;
  struct tm_secret secret;
};

static int folder_open(void **state, const struct tm_conf_target *conf, struct tm_error *err)
{
  struct folder *f = calloc(1, sizeof(*f));
  if (f == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  f->directory = conf->directory;
  int rc = tm_secret_load(&f->secret, conf->secret_file, err);
  if (rc < 0) {
    free(f);
    return rc;
  }
  *state = f;
  return 0;
}

static int write_file(const struct folder *f, const char *key, const char *suffix, const char *data,
                      size_t len, struct tm_error *err)
{
  char path[PATH_MAX];
  int n = snprintf(path, sizeof(path), "%s/%s.%s", f->directory, key, suffix);
  if (n < 0 || n >= (int)sizeof(path))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", f->directory);
  return tm_file_write(path, data, len, 0640, err);
}

/* The signature first: whoever sees the .json can rely on the .sig beside it. */
static int drop(const struct folder *f, const struct target_item *item, int64_t now,
                struct tm_error *err)
{
  char headers[ENVELOPE_HEADERS_SIZE];
  size_t n = envelope_headers(headers, &f->secret, item->key, now, item->body, item->body_len);
  int rc = write_file(f, item->key, "sig", headers, n, err);
  return rc < 0 ? rc : write_file(f, item->key, "json", item->body, item->body_len, err);
}

static void folder_send(void *state, struct target_item *items, size_t n, int64_t now,
                        struct target_outcome *out)
{
  struct folder *f = state;
  for (size_t i = 0; i < n; i++) {
    if (drop(f, &items[i], now, &out->error) < 0) {
      target_fail_all(items + i, n - i, out, TARGET_DOWN);
      return;
    }
    items[i].result = TARGET_ACCEPTED;
    memcpy(items[i].receipt, items[i].sha256, TM_SHA256_HEX);
  }
}

static void folder_close(void *state)
{
  struct folder *f = state;
  tm_secret_release(&f->secret);
  free(f);
}

const struct target_ops target_file_ops = {
    .open = folder_open,
    .send = folder_send,
    .close = folder_close,
};
