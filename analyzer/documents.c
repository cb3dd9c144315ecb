/* SPDX-License-Identifier: MIT */
#include "analyzer/documents.h"

#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* One line without its newline. More than the limit is read past and not kept, so that an endless
 * line costs time and no memory; *rc is -EFBIG then, or -ENOMEM. Returns false at the end. */
static bool next_line(FILE *in, struct tm_buf *line, int *rc)
{
  int c;
  bool any = false;
  *rc = 0;
  tm_buf_reset(line);
  while ((c = getc_unlocked(in)) != EOF && c != '\n') {
    char byte = (char)c;
    any = true;
    if (*rc == 0)
      *rc = tm_buf_add(line, &byte, 1);
  }
  return any || c == '\n';
}

static int take_line(const struct tm_buf *line, const char *place, documents_each *each, void *user,
                     struct tm_error *err)
{
  json_t *document = tm_json_parse(line->ptr, line->len, "", err);
  int rc = document == NULL && err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
  if (document == NULL) {
    const char *what = strstr(err->text, ": ");
    tm_fail(err, rc, "%s: %s", place, what != NULL ? what + 2 : err->text);
  } else if (!json_is_object(document)) {
    rc = tm_fail(err, rc, "%s: not a JSON object", place);
  } else {
    rc = each(user, document, line->ptr, line->len, err);
    if (rc < 0)
      tm_fail_prefix(err, place);
  }
  json_decref(document);
  return rc;
}

static int read_stream(FILE *in, const char *name, documents_each *each, void *user,
                       struct documents_count *count, struct tm_error *err)
{
  struct tm_buf line = TM_BUF_INIT(DOCUMENTS_MAX_LINE);
  char place[320];
  int rc = 0;
  for (size_t number = 1; rc == 0 && next_line(in, &line, &rc); number++) {
    snprintf(place, sizeof(place), "%.280s:%zu", name, number);
    if (rc == -ENOMEM)
      tm_fail(err, rc, "%s: out of memory", place);
    else if (rc < 0)
      rc = tm_fail(err, -EBADMSG, "%s: longer than %zu bytes", place, DOCUMENTS_MAX_LINE);
    else if (line.len == 0 || strspn(line.ptr, " \t\r") == line.len)
      continue;
    else
      rc = take_line(&line, place, each, user, err);
    if (rc == 0)
      count->read++;
    if (rc != -EBADMSG)
      continue;
    tm_log_error("%s", err->text);
    count->refused++;
    rc = 0;
  }
  if (rc == 0 && ferror(in))
    rc = tm_fail(err, -EIO, "%s: read error", name);
  tm_buf_release(&line);
  return rc;
}

static int read_path(const char *path, documents_each *each, void *user,
                     struct documents_count *count, struct tm_error *err)
{
  if (strcmp(path, "-") == 0)
    return read_stream(stdin, "standard input", each, user, count, err);
  int fd = tm_file_open(path, NULL, err);
  FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;
  if (in == NULL) {
    tm_log_error("%s", fd >= 0 ? strerror(errno) : err->text);
    if (fd >= 0)
      close(fd);
    count->missing++;
    count->denied += fd == -EACCES || fd == -EPERM;
    return 0;
  }
  int rc = read_stream(in, path, each, user, count, err);
  fclose(in);
  return rc;
}

int documents_read(char *const *paths, documents_each *each, void *user,
                   struct documents_count *count, struct tm_error *err)
{
  if (paths == NULL || paths[0] == NULL)
    return read_path("-", each, user, count, err);
  int rc = 0;
  for (size_t i = 0; rc == 0 && paths[i] != NULL; i++)
    rc = read_path(paths[i], each, user, count, err);
  return rc;
}

int documents_status(const struct documents_count *count)
{
  if (count->refused > 0)
    return EX_DATAERR;
  if (count->missing > 0)
    return count->denied > 0 ? EX_NOPERM : EX_NOINPUT;
  return EX_OK;
}
