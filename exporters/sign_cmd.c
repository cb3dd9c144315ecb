/* SPDX-License-Identifier: MIT */
#include "exporters/sign_cmd.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/json_memory.h"
#include "common/log.h"
#include "common/number.h"
#include "common/sign.h"
#include "exporters/envelope.h"
#include "exporters/signature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { MAX_BYTES = 16 << 20, MAX_HEADERS = 4096, MAX_BATCH = 1000, MAX_ID = 200 };

/* The bytes of a file and what names them. */
struct signed_file {
  const char *path;
  struct tm_buf bytes;
  struct tm_secret secret;
  char id[MAX_ID];
  int64_t timestamp;
  char signature[MAX_HEADERS];
};

/* --- the id ---------------------------------------------------------------------------------- */

static int batch_id(char id[MAX_ID], const json_t *batch, const char *path, struct tm_error *err)
{
  const char *keys[MAX_BATCH];
  size_t n = json_array_size(batch);
  if (n == 0 || n > MAX_BATCH)
    return tm_fail(err, -EBADMSG, "%s: a batch of 1 to %d events is wanted", path, MAX_BATCH);
  for (size_t i = 0; i < n; i++) {
    keys[i] = tm_json_get_string(json_array_get(batch, i), "id");
    if (keys[i] == NULL)
      return tm_fail(err, -EBADMSG, "%s: event %zu has no id", path, i + 1);
  }
  envelope_batch_id(id, keys, n);
  return 0;
}

/* As an event or a batch names itself. */
static int find_id(struct signed_file *f, struct tm_error *err)
{
  json_t *root = tm_json_parse(f->bytes.ptr, f->bytes.len, f->path, err);
  if (root == NULL)
    return tm_fail(err, -EBADMSG, "%s; with --id, any bytes can be signed", err->text);
  const char *id = tm_json_get_string(root, "id");
  int rc = 0;
  if (json_is_array(root))
    rc = batch_id(f->id, root, f->path, err);
  else if (id == NULL || strlen(id) >= sizeof(f->id))
    rc = tm_fail(err, -EBADMSG, "%s: is no event with an id; give it by --id", f->path);
  else
    memcpy(f->id, id, strlen(id) + 1);
  json_decref(root);
  return rc;
}

/* Visible ASCII, and no dot that could be taken for the end of the id in what is signed. */
static bool is_id(const char *id)
{
  size_t n = strlen(id);
  for (const char *p = id; *p != '\0'; p++) {
    if (*p <= ' ' || *p > '~' || *p == '.')
      return false;
  }
  return n > 0 && n < MAX_ID;
}

/* EX_OK, or the exit status with the reason said. */
static int open_file(struct signed_file *f, const struct tm_args *args)
{
  struct tm_error err = {0};
  const char *secret = tm_args_get(args, "secret-file");
  const char *id = tm_args_get(args, "id");
  const char *at = tm_args_get(args, "at");
  *f = (struct signed_file){
      .path = args->operands[0], .bytes = TM_BUF_INIT(MAX_BYTES), .timestamp = tm_now()};
  if (secret == NULL) {
    tm_log_error("--secret-file FILE is wanted: what the document is signed with");
    return EX_USAGE;
  }
  if (id != NULL && !is_id(id))
    return tm_args_refuse(args, "id", "visible characters without a dot are wanted");
  if (at != NULL && tm_time_parse(at, &f->timestamp) < 0)
    return tm_args_refuse(args, "at", "expected 2026-11-20T00:00:00Z or @SECONDS");
  int rc = tm_secret_load(&f->secret, secret, &err);
  if (rc == 0)
    rc = tm_file_read(f->path, &f->bytes, &err);
  if (rc == 0 && f->bytes.len == 0)
    rc = tm_fail(&err, -EBADMSG, "%s: is empty", f->path);
  if (rc == 0 && id != NULL)
    memcpy(f->id, id, strlen(id) + 1);
  else if (rc == 0)
    rc = find_id(f, &err);
  return tm_log_status(rc, &err);
}

static void close_file(struct signed_file *f)
{
  tm_secret_release(&f->secret);
  tm_buf_release(&f->bytes);
}

/* --- sign ------------------------------------------------------------------------------------- */

int cmd_sign(const struct tm_args *args)
{
  struct signed_file f;
  char headers[ENVELOPE_HEADERS_SIZE];
  if (args->operands_len != 1) {
    tm_log_error("one FILE is wanted: the document");
    return EX_USAGE;
  }
  int status = open_file(&f, args);
  if (status == EX_OK) {
    envelope_headers(headers, &f.secret, f.id, f.timestamp, f.bytes.ptr, f.bytes.len);
    fputs(headers, stdout);
    if (fflush(stdout) != 0) {
      tm_log_error("standard output: %s", strerror(errno));
      status = EX_IOERR;
    }
  }
  close_file(&f);
  return status;
}

/* --- verify ----------------------------------------------------------------------------------- */

static int read_headers(struct signed_file *f, const char *path, struct tm_error *err)
{
  struct signature s;
  int rc = signature_read(&s, path, err);
  if (rc < 0)
    return rc;
  if (strcmp(s.id, f->id) != 0)
    return tm_fail(err, -EBADMSG, "%s: is of %s, and the document is %s", path, s.id, f->id);
  f->timestamp = s.timestamp;
  memcpy(f->signature, s.value, sizeof(f->signature));
  return 0;
}

int cmd_verify(const struct tm_args *args)
{
  struct signed_file f;
  struct tm_error err = {0};
  char when[TM_TIME_SIZE], sha256[TM_SHA256_HEX];
  const char *signature = tm_args_get(args, "signature");
  if (args->operands_len != (signature != NULL ? 1 : 2)) {
    tm_log_error("a FILE is wanted, with a file of its headers or with --signature and --at");
    return EX_USAGE;
  }
  if (signature != NULL && tm_args_get(args, "at") == NULL) {
    tm_log_error("--at TIME is wanted with --signature: the webhook-timestamp is signed too");
    return EX_USAGE;
  }
  int status = open_file(&f, args);
  int rc = 0;
  if (status == EX_OK && signature != NULL)
    snprintf(f.signature, sizeof(f.signature), "%s", signature);
  else if (status == EX_OK)
    rc = read_headers(&f, args->operands[1], &err);
  if (status == EX_OK && rc == 0 &&
      !tm_sign_verify(f.signature, &f.secret, f.id, f.timestamp, f.bytes.ptr, f.bytes.len))
    rc = tm_fail(&err, -EBADMSG, "%s: the signature is not that of these bytes by this secret",
                 f.path);
  if (rc < 0)
    status = tm_log_status(rc, &err);
  else if (status == EX_OK)
    printf("%s: signed on %s, id %s, sha256 %s\n", f.path, tm_time_format(when, f.timestamp), f.id,
           tm_sha256_hex(sha256, f.bytes.ptr, f.bytes.len));
  close_file(&f);
  return status;
}

/* --- key -------------------------------------------------------------------------------------- */

/* "summary" of "tidemark.summary.v1" or "tidemark.summary/1"; false for others. */
static bool kind_of(const char *type, char kind[64])
{
  static const char prefix[] = "tidemark.";
  if (type == NULL || strncmp(type, prefix, strlen(prefix)) != 0)
    return false;
  size_t n = strcspn(type + strlen(prefix), "./");
  if (n == 0 || n >= 64)
    return false;
  memcpy(kind, type + strlen(prefix), n);
  kind[n] = '\0';
  return true;
}

static int compute_key(const struct tm_args *args, const json_t *root, struct tm_error *err)
{
  const char *path = args->operands[0];
  const char *id = tm_json_get_string(root, "id");
  bool is_event = json_object_get(root, "specversion") != NULL;
  const json_t *document = is_event ? json_object_get(root, "data") : root;
  const char *type = tm_json_get_string(is_event ? root : document, is_event ? "type" : "schema");
  struct tm_buf lines = TM_BUF_INIT(1 << 16);
  char kind[64], key[TM_SHA256_HEX];
  if (!json_is_object(document) || !kind_of(type, kind))
    return tm_fail(err, -EBADMSG, "%s: is neither a document nor an event of this protocol", path);
  envelope_key(key, document, kind, tm_args_get(args, "target"), &lines);
  if (tm_json_starved()) {
    tm_buf_release(&lines);
    return tm_fail(err, -ENOMEM, "%s: out of memory", path);
  }
  if (tm_args_has(args, "explain"))
    fputs(lines.ptr != NULL ? lines.ptr : "", stdout);
  puts(key);
  tm_buf_release(&lines);
  if (is_event && (id == NULL || strcmp(id, key) != 0))
    return tm_fail(err, -EBADMSG, "%s: its id is %s: other content, or of another target", path,
                   id != NULL ? id : "missing");
  return 0;
}

int cmd_key(const struct tm_args *args)
{
  struct tm_error err = {0};
  if (args->operands_len != 1 || tm_args_get(args, "target") == NULL) {
    tm_log_error("one FILE and --target NAME are wanted: the target's name at the site is hashed "
                 "too");
    return EX_USAGE;
  }
  json_t *root = tm_json_read(args->operands[0], MAX_BYTES, &err);
  int rc = root != NULL ? compute_key(args, root, &err) : err.code;
  json_decref(root);
  return tm_log_status(rc, &err);
}
