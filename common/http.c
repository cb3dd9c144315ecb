/* SPDX-License-Identifier: MIT */
#include "common/http.h"

#include "common/http_url.h"
#include "common/number.h"
#include "common/version.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_MS 5000L
#define TIMEOUT_MS         30000L
#define MAX_BODY           ((size_t)1 << 20)
#define LOW_SPEED_BYTES    16L /* a second, ... */
#define LOW_SPEED_SECONDS  20L /* ... for so long: given up before the time-out */

struct tm_http {
  CURL *curl;
  CURLU *base;
  char *shown; /* scheme, host and path of the last request, for messages */
  long timeout_ms;
  size_t max_body_bytes;
};

static void init_curl(void)
{
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* --- URLs --------------------------------------------------------------------------------- */

int tm_http_resolve(const struct tm_http *http, const char *link, char **out, struct tm_error *err)
{
  CURLU *url = NULL;
  int rc = tm_url_follow(http->base, link, &url, err);
  if (rc < 0)
    return rc;
  char *text = tm_url_text(url);
  if (text == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  else
    *out = text;
  curl_url_cleanup(url);
  return rc;
}

/* What messages call the request: its URL without the query, which may hold a secret. */
static int remember_shown(struct tm_http *http, CURLU *url)
{
  free(http->shown);
  http->shown = NULL;
  CURLU *copy = curl_url_dup(url);
  if (copy == NULL)
    return -ENOMEM;
  curl_url_set(copy, CURLUPART_QUERY, NULL, 0);
  http->shown = tm_url_text(copy);
  curl_url_cleanup(copy);
  return http->shown == NULL ? -ENOMEM : 0;
}

/* --- the destination ---------------------------------------------------------------------- */

static void set_limits(CURL *c, const struct tm_http_options *o, size_t max_body)
{
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https,http"); /* which of them, tm_url_begin() said */
#else
  curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTPS | CURLPROTO_HTTP));
#endif
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(c, CURLOPT_PROXY, o->proxy != NULL ? o->proxy : "");
  curl_easy_setopt(c, CURLOPT_USERAGENT, "tidemark/" TM_VERSION);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                   o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_TIMEOUT_MS);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
  curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_SECONDS);
  curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)max_body);
  curl_easy_setopt(c, CURLOPT_MAXCONNECTS, 1L);
}

static CURLcode set_user(CURL *c, const struct tm_http_options *o)
{
  CURLcode rc = CURLE_OK;
  if (o->user != NULL)
    rc = curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
  if (rc == CURLE_OK && o->user != NULL)
    rc = curl_easy_setopt(c, CURLOPT_USERNAME, o->user);
  if (rc == CURLE_OK && o->user != NULL)
    rc = curl_easy_setopt(c, CURLOPT_PASSWORD, o->password != NULL ? o->password : "");
  return rc;
}

int tm_http_new(struct tm_http **http, const char *base_url, const struct tm_http_options *options,
                struct tm_error *err)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const struct tm_http_options o = options != NULL ? *options : (struct tm_http_options){0};
  pthread_once(&once, init_curl);
  struct tm_http *h = calloc(1, sizeof(*h));
  if (h != NULL) {
    h->curl = curl_easy_init();
    h->base = curl_url();
  }
  int rc = 0;
  if (h == NULL || h->curl == NULL || h->base == NULL) {
    rc = tm_fail(err, -ENOMEM, "out of memory");
    goto out;
  }
  rc = tm_url_begin(h->base, base_url, o.allow_plain, err);
  if (rc < 0)
    goto out;
  h->timeout_ms = o.timeout_ms > 0 ? o.timeout_ms : TIMEOUT_MS;
  h->max_body_bytes = o.max_body_bytes > 0 ? o.max_body_bytes : MAX_BODY;
  set_limits(h->curl, &o, h->max_body_bytes);
  rc = tm_tls_apply(h->curl, &o.tls, err);
  if (rc < 0)
    goto out;
  CURLcode code = set_user(h->curl, &o);
  if (code != CURLE_OK) {
    rc = tm_fail(err, -EINVAL, "%s: %s", base_url, curl_easy_strerror(code));
    goto out;
  }
  *http = h;
  h = NULL;
out:
  tm_http_free(h);
  return rc;
}

void tm_http_free(struct tm_http *http)
{
  if (http == NULL)
    return;
  curl_easy_cleanup(http->curl);
  curl_url_cleanup(http->base);
  free(http->shown);
  free(http);
}

/* --- one request -------------------------------------------------------------------------- */

/* So many bytes were taken, or none: libcurl ends then. */
static size_t take(struct tm_http_reply *r, struct tm_buf *to, const char *data, size_t len)
{
  int rc = tm_buf_add(to, data, len);
  r->starved = r->starved || rc == -ENOMEM;
  return rc < 0 ? 0 : len;
}

static size_t on_body(char *data, size_t size, size_t n, void *reply)
{
  struct tm_http_reply *r = reply;
  return take(r, &r->body, data, size * n);
}

static size_t on_header(char *data, size_t size, size_t n, void *reply)
{
  struct tm_http_reply *r = reply;
  if (size * n > 5 && strncmp(data, "HTTP/", 5) == 0) {
    r->headers_end = false;
    tm_buf_reset(&r->headers); /* an answer after "100 Continue" */
  }
  r->headers_end = r->headers_end || (size * n > 0 && (data[0] == '\r' || data[0] == '\n'));
  return take(r, &r->headers, data, size * n);
}

static int make_headers(const char *const *headers, struct curl_slist **out, struct tm_error *err)
{
  /* A body of more than 1 MiB would else wait for a "100 Continue" that few devices send. */
  struct curl_slist *list = curl_slist_append(NULL, "Expect:");
  int rc = list == NULL ? -ENOMEM : 0;
  for (size_t i = 0; rc == 0 && headers != NULL && headers[i] != NULL; i++) {
    if (strpbrk(headers[i], "\r\n") != NULL) {
      rc = -EINVAL;
      break;
    }
    struct curl_slist *longer = curl_slist_append(list, headers[i]);
    if (longer == NULL)
      rc = -ENOMEM;
    else
      list = longer;
  }
  if (rc < 0) {
    curl_slist_free_all(list);
    return tm_fail(err, rc, rc == -EINVAL ? "a header with a line break" : "out of memory");
  }
  *out = list;
  return 0;
}

static void set_method(CURL *c, const struct tm_http_request *q)
{
  const char *method = q->method != NULL ? q->method : "GET";
  curl_easy_setopt(c, CURLOPT_NOBODY, 0L);
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, NULL);
  curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
  if (q->body != NULL || strcmp(method, "POST") == 0) {
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body != NULL ? q->body : "");
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len);
  } else if (strcmp(method, "HEAD") == 0) {
    curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    return;
  }
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
}

static int code_of(CURLcode rc)
{
  switch (rc) {
  case CURLE_OPERATION_TIMEDOUT:
    return -ETIMEDOUT;
  case CURLE_COULDNT_CONNECT:
    return -ECONNREFUSED;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return -EHOSTUNREACH;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_INVALIDCERTSTATUS:
    return -EACCES;
  case CURLE_FILESIZE_EXCEEDED:
    return -EFBIG;
  default:
    return -EIO;
  }
}

static int perform(struct tm_http *http, struct tm_http_reply *reply, struct tm_error *err)
{
  char why[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, why);
  errno = 0;
  reply->starved = false;
  CURLcode rc = curl_easy_perform(http->curl);
  int code = errno;
  curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, NULL);
  if (rc == CURLE_OK) {
    /* To libcurl a connection that is closed within the headers is an answer without a body. */
    if (!reply->headers_end)
      return tm_fail(err, -EIO, "%s: the answer ended within its headers", http->shown);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
    return 0;
  }
  /* The callbacks refuse when their buffer is full; libcurl calls one endless header line a lack of
   * memory too. */
  if (reply->starved || (rc == CURLE_OUT_OF_MEMORY && code == ENOMEM))
    return tm_fail(err, -ENOMEM, "%s: out of memory", http->shown);
  if (rc == CURLE_FILESIZE_EXCEEDED || (rc == CURLE_WRITE_ERROR && reply->body.len > 0))
    return tm_fail(err, -EFBIG, "%s: the answer is larger than %zu bytes", http->shown,
                   http->max_body_bytes);
  /* Which of the two, errno tells only where nothing was called behind it. */
  if (rc == CURLE_WRITE_ERROR || rc == CURLE_OUT_OF_MEMORY)
    return tm_fail(err, -EFBIG, "%s: the headers are larger than %d bytes, or memory is short",
                   http->shown, TM_HTTP_HEADERS_MAX);
  return tm_fail(err, code_of(rc), "%s: %s", http->shown,
                 why[0] != '\0' ? why : curl_easy_strerror(rc));
}

int tm_http_do(struct tm_http *http, const struct tm_http_request *request,
               struct tm_http_reply *reply, struct tm_error *err)
{
  CURLU *url = NULL;
  struct curl_slist *headers = NULL;
  tm_http_reply_release(reply);
  reply->body.max = http->max_body_bytes;
  reply->headers.max = TM_HTTP_HEADERS_MAX;
  int rc = tm_url_follow(http->base, request->url, &url, err);
  if (rc < 0)
    return rc;
  if (remember_shown(http, url) < 0) {
    rc = tm_fail(err, -ENOMEM, "out of memory");
    goto out;
  }
  rc = make_headers(request->headers, &headers, err);
  if (rc < 0)
    goto out;
  set_method(http->curl, request);
  curl_easy_setopt(http->curl, CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L);
  curl_easy_setopt(http->curl, CURLOPT_CURLU, url);
  curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS,
                   request->timeout_ms > 0 ? request->timeout_ms : http->timeout_ms);
  curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, reply);
  curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, reply);
  rc = perform(http, reply, err);
  /* What is the caller's or this call's own is forgotten again. */
  curl_easy_setopt(http->curl, CURLOPT_CURLU, NULL);
  curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, NULL);
  curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, NULL);
  curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, NULL);
out:
  curl_slist_free_all(headers);
  curl_url_cleanup(url);
  return rc;
}

/* --- the answer --------------------------------------------------------------------------- */

void tm_http_reply_release(struct tm_http_reply *reply)
{
  tm_buf_release(&reply->body);
  tm_buf_release(&reply->headers);
  reply->status = 0;
  reply->headers_end = false;
}

int tm_http_require_success(const struct tm_http *http, const struct tm_http_reply *reply,
                            struct tm_error *err)
{
  if (reply->status >= 200 && reply->status <= 299)
    return 0;
  int code = -EIO;
  if (reply->status == 401 || reply->status == 403)
    code = -EACCES;
  else if (reply->status == 404)
    code = -ENOENT;
  return tm_fail(err, code, "%s: answered %ld", http->shown != NULL ? http->shown : "HTTP",
                 reply->status);
}

char *tm_http_header(const struct tm_http_reply *reply, const char *name, char *value, size_t size)
{
  size_t name_len = strlen(name);
  const char *line = reply->headers.ptr;
  while (line != NULL && *line != '\0') {
    size_t len = strcspn(line, "\r\n");
    if (len > name_len && line[name_len] == ':' && strncasecmp(line, name, name_len) == 0) {
      const char *start = line + name_len + 1;
      const char *end = line + len;
      start += strspn(start, " \t");
      while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
      if (start > end || (size_t)(end - start) >= size)
        return NULL;
      memcpy(value, start, (size_t)(end - start));
      value[end - start] = '\0';
      return value;
    }
    line += len;
    line += strspn(line, "\r\n");
  }
  return NULL;
}

int64_t tm_http_date(const struct tm_http_reply *reply)
{
  char text[64];
  if (tm_http_header(reply, "Date", text, sizeof(text)) == NULL)
    return INT64_MIN;
  time_t t = curl_getdate(text, NULL);
  return t < 0 ? INT64_MIN : (int64_t)t;
}

int64_t tm_http_retry_after(const struct tm_http_reply *reply, int64_t now)
{
  char text[64];
  uint64_t seconds = 0;
  if (tm_http_header(reply, "Retry-After", text, sizeof(text)) == NULL)
    return -1;
  int rc = tm_parse_u64(text, 0, INT32_MAX, &seconds);
  if (rc == 0)
    return (int64_t)seconds;
  if (rc == -ERANGE)
    return INT32_MAX;
  time_t t = curl_getdate(text, NULL);
  if (t < 0)
    return -1;
  return (int64_t)t > now ? (int64_t)t - now : 0;
}
