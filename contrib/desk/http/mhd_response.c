/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/mhd_response.h"

#include "common/clock.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BLOCK = 4096 };

struct MHD_Response *mhd_refusal(int status, const char *why, size_t *len)
{
  char text[256];
  snprintf(text, sizeof(text), "%d: %s\n", status, why);
  *len = strlen(text);
  struct MHD_Response *response =
      MHD_create_response_from_buffer(*len, text, MHD_RESPMEM_MUST_COPY);
  if (response == NULL)
    return NULL;
  MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "Content-Security-Policy", "default-src 'none'");
  MHD_add_response_header(response, "Cache-Control", "no-store");
  MHD_add_response_header(response, "Connection", "close");
  return response;
}

static void suspend(void *connection)
{
  MHD_suspend_connection(connection);
}

static ssize_t read_stream(void *cls, uint64_t at, char *buf, size_t max)
{
  (void)at;
  long n = stream_read(cls, buf, max, suspend);
  return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static void free_stream(void *stream)
{
  stream_close(stream);
}

static struct MHD_Response *make_stream(const struct exchange *x, struct topics *topics,
                                        struct MHD_Connection *connection)
{
  struct stream *stream = NULL;
  if (topics == NULL || stream_open(&stream, topics, x->response.topic, x->visitor.user_id,
                                    connection, tm_monotonic()) < 0)
    return NULL;
  struct MHD_Response *response = MHD_create_response_from_callback(
      MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, stream, free_stream);
  if (response == NULL)
    stream_close(stream);
  else
    MHD_add_response_header(response, "Connection", "close");
  return response;
}

static struct MHD_Response *make_whole(struct response *from)
{
  size_t len = from->body.len;
  if (from->fixed != NULL)
    return MHD_create_response_from_buffer(from->fixed_len, (void *)from->fixed,
                                           MHD_RESPMEM_PERSISTENT);
  if (len == 0)
    return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
  char *body = tm_buf_take(&from->body);
  struct MHD_Response *response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
  if (response == NULL)
    free(body);
  return response;
}

/* What every answer says, whoever made it. */
static void add_headers(const struct exchange *x, struct MHD_Response *response)
{
  static const char *const always[][2] = {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
       "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
  };
  bool cached = false;
  for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
    MHD_add_response_header(response, always[i][0], always[i][1]);
  for (size_t i = 0; i < x->response.headers_len; i++) {
    const struct response_header *h = &x->response.headers[i];
    MHD_add_response_header(response, h->name, h->value);
    cached = cached || strcmp(h->name, "Cache-Control") == 0;
  }
  if (!cached)
    MHD_add_response_header(response, "Cache-Control", "no-store");
  if (x->request.secure)
    MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
  if (x->response.content_type != NULL)
    MHD_add_response_header(response, "Content-Type", x->response.content_type);
}

struct MHD_Response *mhd_response(struct exchange *x, struct topics *topics,
                                  struct MHD_Connection *connection, size_t *len)
{
  struct response *from = &x->response;
  *len = from->fixed != NULL ? from->fixed_len : from->body.len;
  struct MHD_Response *response =
      from->topic != NULL ? make_stream(x, topics, connection) : make_whole(from);
  if (response != NULL)
    add_headers(x, response);
  return response;
}
