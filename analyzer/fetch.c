/* SPDX-License-Identifier: MIT */
/*
 * tidemark-fetch: makes HTTP requests for tidemark-analyze (source/fetcher.h). A program of its own
 * because libcurl, with the libraries of TLS, takes longer to load than the analyzer may take to
 * start, and so that a server's bytes meet no other memory than this. It takes no arguments; people
 * call it through `tidemark-analyze run --source prometheus:URL`.
 *
 * Standard input: a line with the base URL, then a line for each request: the path, or the path, a
 * space and the body of a form. Standard output: for each request "STATUS LENGTH\n" and so many
 * bytes: the answer, or with a negative errno in place of the status what went wrong.
 */
#include "common/buf.h"
#include "common/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TIMEOUT_MS     60000
#define BODY_MAX_BYTES (64 << 20)

static int answer(long status, const char *data, size_t len)
{
  if (printf("%ld %zu\n", status, len) < 0 || fwrite(data, 1, len, stdout) != len ||
      fflush(stdout) != 0)
    return -EIO;
  return 0;
}

static int serve(struct tm_http *http, char *line)
{
  static const char *const form[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
  struct tm_error err = {0};
  struct tm_http_reply reply = {0};
  char *space = strchr(line, ' ');
  struct tm_http_request request = {.url = line};
  if (space != NULL) {
    *space = '\0';
    request.method = "POST";
    request.headers = form;
    request.body = space + 1;
    request.body_len = strlen(space + 1);
  }
  int rc = tm_http_do(http, &request, &reply, &err);
  if (rc < 0)
    rc = answer(rc, err.text, strlen(err.text));
  else
    rc = answer(reply.status, reply.body.ptr != NULL ? reply.body.ptr : "", reply.body.len);
  tm_http_reply_release(&reply);
  return rc;
}

/* A line without its end; NULL at the end of the input. */
static char *next_line(char **line, size_t *cap)
{
  ssize_t n = getline(line, cap, stdin);
  if (n <= 0 || (*line)[n - 1] != '\n')
    return NULL;
  (*line)[n - 1] = '\0';
  return *line;
}

int main(void)
{
  static const struct tm_http_options options = {
      .timeout_ms = TIMEOUT_MS, .max_body_bytes = BODY_MAX_BYTES, .allow_plain = true};
  struct tm_error err = {0};
  struct tm_http *http = NULL;
  char *line = NULL;
  size_t cap = 0;
  int rc = 0;
  if (next_line(&line, &cap) == NULL) {
    fputs("tidemark-fetch: a helper of tidemark-analyze; it is not called by hand\n", stderr);
    free(line);
    return EX_USAGE;
  }
  int failed = tm_http_new(&http, line, &options, &err);
  while (rc == 0 && next_line(&line, &cap) != NULL)
    rc = failed < 0 ? answer(failed, err.text, strlen(err.text)) : serve(http, line);
  tm_http_free(http);
  free(line);
  return rc < 0 ? EX_IOERR : EX_OK;
}
