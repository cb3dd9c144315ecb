/* SPDX-License-Identifier: MIT */
#include "exporters/input.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "exporters/accepted.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { MAX_OBJECT = 16 << 20 };

struct reader {
  input_handler *handler;
  void *arg;
  struct input_counts *counts;
};

static int take(struct reader *r, const char *data, size_t len, const char *where)
{
  struct tm_error err = {0};
  json_t *object = tm_json_parse(data, len, where, &err);
  /* An event, as a drop folder holds them: what is in it. */
  json_t *inner = json_object_get(object, "data");
  if (tm_json_get_string(object, "specversion") != NULL && json_is_object(inner)) {
    json_incref(inner);
    json_decref(object);
    object = inner;
  }
  int rc = object == NULL ? -EBADMSG : r->handler(r->arg, object, where, &err);
  json_decref(object);
  if (rc == -ECANCELED)
    return rc;
  if (rc < 0) {
    /* The parser's messages begin with the place; the handler's do not. */
    if (strncmp(err.text, where, strlen(where)) == 0)
      tm_log_error("%s", err.text);
    else
      tm_log_error("%s: %s", where, err.text);
    r->counts->refused++;
  } else {
    r->counts->read++;
  }
  return 0;
}

/* A file that could not be opened; it was told. */
static void miss(struct reader *r, int code)
{
  if (r->counts->missing++ == 0)
    r->counts->why = code;
}

/* What stands there is nobody's fault: the rest is for another time. */
static int give_up(struct reader *r, const char *where, const char *why)
{
  tm_log_error("%s: %s", where, why);
  miss(r, -ECANCELED);
  return -ECANCELED;
}

/* 1: a line is in b (without its newline); 0: the end; -EFBIG: too long, and passed over; -ENOMEM.
 */
static int next_line(FILE *f, struct tm_buf *b)
{
  char chunk[16384];
  int rc = 0;
  tm_buf_reset(b);
  while (fgets(chunk, sizeof(chunk), f) != NULL) {
    size_t len = strlen(chunk);
    bool whole = len > 0 && chunk[len - 1] == '\n';
    if (rc == 0)
      rc = tm_buf_add(b, chunk, whole ? len - 1 : len);
    if (whole)
      return rc < 0 ? rc : 1;
  }
  if (rc < 0)
    return rc;
  return b->len > 0 ? 1 : 0;
}

/* "{" alone, or with the first member: an object that people have laid out over several lines. */
static bool is_laid_out(const struct tm_buf *line)
{
  size_t end = line->len;
  while (end > 0 && strchr(" \t\r", line->ptr[end - 1]) != NULL)
    end--;
  return end > 0 && line->ptr[0] == '{' && line->ptr[end - 1] != '}';
}

static int read_rest(FILE *f, struct tm_buf *b)
{
  char chunk[16384];
  int rc = tm_buf_puts(b, "\n");
  for (size_t n; rc == 0 && (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
    rc = tm_buf_add(b, chunk, n);
  return rc;
}

static int read_stream(struct reader *r, FILE *f, const char *name)
{
  struct tm_buf line = TM_BUF_INIT(MAX_OBJECT);
  char where[4200];
  int rc = 0;
  for (size_t n = 1; rc == 0; n++) {
    int got = next_line(f, &line);
    if (got == 0)
      break;
    snprintf(where, sizeof(where), "%s:%zu", name, n);
    if (got > 0 && n == 1 && is_laid_out(&line)) {
      got = read_rest(f, &line);
      got = got < 0 ? got : 1;
      snprintf(where, sizeof(where), "%s", name);
    }
    if (got == -ENOMEM) {
      rc = give_up(r, where, "out of memory");
    } else if (got < 0) {
      tm_log_error("%s: larger than a document may be", where);
      r->counts->refused++;
    } else if (line.ptr[strspn(line.ptr, " \t\r\n")] != '\0' || line.len != strlen(line.ptr)) {
      rc = take(r, line.ptr, line.len, where);
    }
  }
  /* What came is queued; what did not is wanted of the next call, so the period is not over. */
  if (rc == 0 && ferror(f))
    rc = give_up(r, name, "read error");
  tm_buf_release(&line);
  return rc;
}

static int read_file(struct reader *r, const char *path);

static int is_event(const struct dirent *entry)
{
  size_t len = strlen(entry->d_name);
  return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

/* A drop folder: its NAME.json, by name. */
static int read_folder(struct reader *r, const char *path)
{
  struct dirent **names = NULL;
  int rc = 0;
  int n = scandir(path, &names, is_event, alphasort);
  if (n < 0) {
    int code = errno;
    tm_log_error("%s: %s", path, strerror(code));
    miss(r, -code);
    return 0;
  }
  for (int i = 0; i < n; i++) {
    char *file = NULL;
    if (rc == 0 && asprintf(&file, "%s/%s", path, names[i]->d_name) < 0) {
      file = NULL;
      rc = give_up(r, path, "out of memory");
    }
    if (rc == 0)
      rc = read_file(r, file);
    free(file);
    free(names[i]);
  }
  free(names);
  return rc;
}

static int read_file(struct reader *r, const char *path)
{
  struct tm_error err;
  struct stat st;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
    return read_folder(r, path);
  if (strcmp(path, "-") == 0)
    return read_stream(r, stdin, "standard input");
  int fd = tm_file_open(path, NULL, &err);
  FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
  if (f == NULL) {
    int code = fd < 0 ? fd : -errno;
    tm_log_error("%s", fd < 0 ? err.text : strerror(-code));
    if (fd >= 0)
      close(fd);
    miss(r, code);
    return 0;
  }
  int rc = read_stream(r, f, path);
  fclose(f);
  return rc;
}

int input_read(const struct tm_conf *conf, char *const *files, input_handler *handler, void *arg,
               struct input_counts *counts)
{
  struct reader r = {handler, arg, counts};
  *counts = (struct input_counts){0};
  if (files[0] != NULL) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && files[i] != NULL; i++)
      rc = read_file(&r, files[i]);
    return rc;
  }
  char **received = NULL;
  struct tm_error err = {0};
  if (conf->role == TM_ROLE_VENDOR && accepted_list(conf->state_dir, &received, &err) < 0)
    return give_up(&r, "what was received", err.text);
  if (received != NULL) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && received[i] != NULL; i++)
      rc = read_file(&r, received[i]);
    accepted_list_free(received);
    return rc;
  }
  char *path = NULL;
  if (asprintf(&path, "%s/summaries.ndjson", conf->state_dir) < 0)
    return give_up(&r, conf->state_dir, "out of memory");
  int rc = read_file(&r, path);
  free(path);
  return rc;
}

int input_status(const struct input_counts *counts)
{
  if (counts->missing > 0) {
    switch (-counts->why) {
    case EACCES:
    case EPERM:
      return EX_NOPERM;
    case EINVAL: /* a device, */
    case ENXIO:  /* a socket, */
    case ELOOP:  /* a link */
      return EX_DATAERR;
    default:
      return EX_NOINPUT;
    }
  }
  return counts->refused > 0 ? EX_DATAERR : EX_OK;
}
