/* SPDX-License-Identifier: MIT */
/*
 * tidemark-fetch: makes HTTP requests for tidemark-analyze (source/fetcher.h). A program of its own
 * because libcurl, with the libraries of TLS, takes longer to load than the analyzer may take to
 * start, and so that a server's bytes meet no other memory than this. It takes no arguments; people
 * call it through `tidemark-analyze run --source prometheus:URL`.
 *
 * Standard input: a line with the base URL; lines of what goes with every request ("tenant",
 * "token_file", "user", "password_file", "ca_file", "crl_file", "ocsp_stapling", a space and the
 * value) and an empty one; then a line for each request: the path, or the path, a space and the
 * body of a form. Standard output: for each request "STATUS LENGTH\n" and so many bytes: the
 * answer, or with a negative errno in place of the status what went wrong.
 */
#include "common/buf.h"
#include "common/http.h"
#include "common/secret.h"

#include <errno.h>
#include <stdbool.h>
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

enum access {
  TENANT,
  TOKEN_FILE,
  USER,
  PASSWORD_FILE,
  CA_FILE,
  CRL_FILE,
  OCSP_STAPLING,
  ACCESS_KEYS
};

struct fetch {
  struct tm_http *http;
  struct tm_buf tenant, token, password;
  const char *headers[4]; /* the first is of forms alone */
};

static int serve(const struct fetch *f, char *line)
{
  struct tm_error err = {0};
  struct tm_http_reply reply = {0};
  char *space = strchr(line, ' ');
  struct tm_http_request request = {.url = line, .headers = f->headers + 1};
  if (space != NULL) {
    *space = '\0';
    request.method = "POST";
    request.headers = f->headers;
    request.body = space + 1;
    request.body_len = strlen(space + 1);
  }
  int rc = tm_http_do(f->http, &request, &reply, &err);
  if (rc < 0)
    rc = answer(rc, err.text, strlen(err.text));
  else
    rc = answer(reply.status, reply.body.ptr != NULL ? reply.body.ptr : "", reply.body.len);
  tm_http_reply_release(&reply);
  return rc;
}

/* Reads a line without its end: 1, 0 at the end of the input, -ENOMEM or -EIO. */
static int next_line(char **line, size_t *cap)
{
  errno = 0;
  ssize_t n = getline(line, cap, stdin);
  if (n < 0)
    return errno == ENOMEM ? -ENOMEM : ferror(stdin) ? -EIO : 0;
  if (n == 0 || (*line)[n - 1] != '\n')
    return 0;
  (*line)[n - 1] = '\0';
  return 1;
}

/* Takes "NAME VALUE" lines up to an empty one. Without that nothing may be asked: what is missing
 * may be the authority that the server is held to. */
static int read_access(char *access[ACCESS_KEYS], char **line, size_t *cap)
{
  static const char *const names[ACCESS_KEYS] = {"tenant ",        "token_file ", "user ",
                                                 "password_file ", "ca_file ",    "crl_file ",
                                                 "ocsp_stapling "};
  int rc;
  while ((rc = next_line(line, cap)) == 1 && (*line)[0] != '\0') {
    int i = 0;
    while (i < ACCESS_KEYS && strncmp(*line, names[i], strlen(names[i])) != 0)
      i++;
    if (i == ACCESS_KEYS || access[i] != NULL)
      return -EINVAL;
    access[i] = strdup(*line + strlen(names[i]));
    if (access[i] == NULL)
      return -ENOMEM;
  }
  return rc == 0 ? -EINVAL : rc < 0 ? rc : 0;
}

/* Reads the secrets and makes the headers of them. */
static int make_headers(struct fetch *f, char *const access[ACCESS_KEYS], struct tm_error *err)
{
  int rc = 0;
  size_t n = 0;
  f->headers[n++] = "Content-Type: application/x-www-form-urlencoded";
  if (access[TENANT] != NULL) {
    rc = tm_buf_printf(&f->tenant, "X-Scope-OrgID: %s", access[TENANT]);
    f->headers[n++] = f->tenant.ptr;
  }
  if (rc == 0 && access[TOKEN_FILE] != NULL) {
    rc = tm_buf_puts(&f->token, "Authorization: Bearer ");
    if (rc == 0)
      rc = tm_secret_read(access[TOKEN_FILE], &f->token, err);
    f->headers[n++] = f->token.ptr;
  }
  if (rc == 0 && access[PASSWORD_FILE] != NULL)
    rc = tm_secret_read(access[PASSWORD_FILE], &f->password, err);
  if (rc < 0 && err->code == 0)
    tm_fail(err, rc, "out of memory");
  return rc;
}

static int open_server(struct fetch *f, const char *base_url, char *const access[ACCESS_KEYS],
                       struct tm_error *err)
{
  int rc = make_headers(f, access, err);
  if (rc < 0)
    return rc;
  bool secret = access[TOKEN_FILE] != NULL || access[USER] != NULL;
  const struct tm_http_options options = {.timeout_ms = TIMEOUT_MS,
                                          .max_body_bytes = BODY_MAX_BYTES,
                                          .allow_plain = !secret,
                                          .tls = {.ca_file = access[CA_FILE],
                                                  .crl_file = access[CRL_FILE],
                                                  .ocsp_stapling = access[OCSP_STAPLING] != NULL},
                                          .user = access[USER],
                                          .password = f->password.ptr};
  return tm_http_new(&f->http, base_url, &options, err);
}

static void fetch_release(struct fetch *f)
{
  struct tm_buf *const texts[] = {&f->tenant, &f->token, &f->password};
  tm_http_free(f->http);
  for (int i = 0; i < 3; i++) {
    if (texts[i]->ptr != NULL)
      explicit_bzero(texts[i]->ptr, texts[i]->len);
    tm_buf_release(texts[i]);
  }
}

int main(void)
{
  struct fetch f = {
      .tenant = TM_BUF_INIT(4096), .token = TM_BUF_INIT(8192), .password = TM_BUF_INIT(8192)};
  struct tm_error err = {0};
  char *access[ACCESS_KEYS] = {0}; /* NULL where not given */
  char *base_url = NULL;
  char *line = NULL;
  size_t cap = 0;
  int rc = next_line(&line, &cap);
  if (rc == 0) {
    fputs("tidemark-fetch: a helper of tidemark-analyze; it is not called by hand\n", stderr);
    free(line);
    return EX_USAGE;
  }
  base_url = rc == 1 ? strdup(line) : NULL;
  int failed = rc < 0 ? rc : base_url == NULL ? -ENOMEM : read_access(access, &line, &cap);
  failed = failed == 0         ? open_server(&f, base_url, access, &err)
           : failed == -EINVAL ? tm_fail(&err, failed, "what goes with requests is not understood")
                               : tm_fail(&err, failed, "tidemark-fetch: %s", strerror(-failed));
  int more = 0;
  rc = 0;
  while (rc == 0 && (more = next_line(&line, &cap)) == 1)
    rc = failed < 0 ? answer(failed, err.text, strlen(err.text)) : serve(&f, line);
  rc = rc < 0 ? rc : more;
  if (more < 0)
    fprintf(stderr, "tidemark-fetch: %s\n", strerror(-more));
  fetch_release(&f);
  for (int i = 0; i < ACCESS_KEYS; i++)
    free(access[i]);
  free(base_url);
  free(line);
  return rc < 0 ? EX_IOERR : EX_OK;
}
