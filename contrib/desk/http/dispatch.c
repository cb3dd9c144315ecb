/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/dispatch.h"

#include "common/json_memory.h"
#include "common/log.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/people/visitor.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static bool changes(const char *method)
{
  return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

bool dispatch_is_own(const char *fetch_site, const char *origin, const char *host, const char *own)
{
  if (fetch_site != NULL && strcmp(fetch_site, "same-origin") != 0 &&
      strcmp(fetch_site, "none") != 0)
    return false;
  if (origin == NULL)
    return true; /* no browser of today, or one that spoke by Sec-Fetch-Site */
  if (own != NULL && strcmp(origin, own) == 0)
    return true;
  const char *from = strstr(origin, "://");
  return from != NULL && host != NULL && strcmp(from + 3, host) == 0;
}

/* A form of our own page carries the session's token; a script of it sends a header. */
static bool is_meant(const struct exchange *x)
{
  const struct request *r = &x->request;
  if (!changes(r->method) || x->visitor.by_token)
    return true;
  if (!dispatch_is_own(request_header(r, "sec-fetch-site"), request_header(r, "origin"),
                       request_header(r, "host"), r->desk->conf->public_url))
    return false;
  /* Nobody is signed in, or the route gives nobody more than that: there is nothing to borrow. */
  if (r->csrf == NULL || (r->route->roles & (unsigned)ROLE_NONE) != 0)
    return true;
  const char *given = request_field(r, "csrf");
  if (given == NULL)
    given = request_header(r, "x-csrf-token");
  size_t len = strlen(r->csrf);
  return given != NULL && strlen(given) == len && sodium_memcmp(given, r->csrf, len) == 0;
}

/* To the sign-in page, and back from there; a program gets 401. */
static int send_to_login(struct exchange *x)
{
  struct request *r = &x->request;
  struct tm_error err;
  char path[480];
  if (r->wants_json || x->visitor.by_token) {
    respond_header(&x->response, "WWW-Authenticate", "Bearer");
    return respond_error(r, &x->response, 401, NULL, "sign in first, or send a valid token");
  }
  bool back = !changes(r->method) && strcmp(r->path, "/") != 0 &&
              strlen(r->path) < sizeof(path) - 16 && strpbrk(r->path, "&+#") == NULL;
  snprintf(path, sizeof(path), back ? "/login?next=%s" : "/login", r->path);
  return respond_redirect(&x->response, path, &err);
}

/* 0 when the handler may run. */
static int check_right(struct exchange *x)
{
  struct request *r = &x->request;
  struct response *to = &x->response;
  if (x->refused != 0)
    return respond_error(r, to, x->refused, NULL, x->reason);
  if (x->found == 405)
    respond_header(to, "Allow", x->match.allow);
  if (x->found != 200)
    return respond_error(r, to, x->found, NULL, NULL);
  unsigned roles = r->route->roles;
  if ((roles & (unsigned)ROLE_NONE) == 0 && x->visitor.role == ROLE_NONE)
    return send_to_login(x);
  if ((roles & ((unsigned)x->visitor.role | (unsigned)ROLE_NONE)) == 0)
    return respond_error(r, to, 403, NULL, NULL);
  if (!is_meant(x))
    return respond_error(r, to, 403, NULL,
                         "The form did not come from a page of this session. Go "
                         "back, load the page again, and send it once more.");
  return 0;
}

static int status_of(int rc)
{
  switch (rc) {
  case -ENOENT:
    return 404;
  case -EEXIST:
    return 409;
  case -EINVAL:
    return 422;
  case -EACCES:
    return 403;
  case -EAGAIN:
  case -EBUSY:
  case -ENOMEM:
    return 503;
  default:
    return 500;
  }
}

static void answer_failure(struct exchange *x, int rc, const struct tm_error *err)
{
  int status = status_of(rc);
  tm_json_forgive(); /* the page that says so needs some */
  x->response.headers_len = 0;
  if (status >= 500)
    tm_log_error("%s %s: %s", x->request.method, x->request.path,
                 err->text[0] != '\0' ? err->text : strerror(-rc));
  const char *text = status < 500 && err->text[0] != '\0' ? err->text : NULL;
  if (respond_error(&x->request, &x->response, status, NULL, text) < 0) {
    x->response.status = 500;
    x->response.content_type = "text/plain; charset=utf-8";
    tm_buf_reset(&x->response.body);
    tm_buf_puts(&x->response.body, "500: the desk failed\n");
  }
}

static void run(struct exchange *x)
{
  struct tm_error err = {0};
  int rc = x->request.route->handle(&x->request, &x->response, &err);
  if (rc == 0 && x->response.status == 0)
    rc = tm_fail(&err, -EIO, "%s: gave no answer", x->request.route->pattern);
  if (rc == 0 && (tm_json_starved() || x->starved))
    rc = tm_fail(&err, -ENOMEM, "out of memory");
  if (rc < 0)
    answer_failure(x, rc, &err);
}

void dispatch(struct exchange *x)
{
  struct tm_error err = {0};
  tm_json_forgive();
  int rc = x->refused == 400 ? 0 : visitor_find(x, &err);
  if (rc == 0 && x->starved) /* who it is may lack a name, a customer */
    rc = tm_fail(&err, -ENOMEM, "out of memory");
  if (rc == -EACCES) {
    x->visitor.by_token = true;
    rc = send_to_login(x);
  } else if (rc == 0) {
    rc = check_right(x);
    if (rc == 0 && x->response.status == 0)
      run(x);
  }
  if (rc < 0)
    answer_failure(x, rc, &err);
  /* A topic is the handler's: the stream takes a copy later, in another thread. */
  if (x->response.topic != NULL)
    x->response.topic = request_keep(&x->request, x->response.topic);
}

void dispatch_admin(struct exchange *x)
{
  x->request.wants_json = true;
  tm_json_forgive();
  if (x->refused != 0)
    respond_error(&x->request, &x->response, x->refused, NULL, x->reason);
  else if (x->found != 200)
    respond_error(&x->request, &x->response, x->found, NULL, NULL);
  else
    run(x);
}
