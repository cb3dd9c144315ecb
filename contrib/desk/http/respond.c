/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/exchange.h"

#include "common/json.h"
#include "common/sign.h"
#include "common/text.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/http/nav.h"

#include <errno.h>
#include <string.h>

static const char html[] = "text/html; charset=utf-8";
static const char json[] = "application/json";

int respond_header(struct response *to, const char *name, const char *value)
{
  size_t max = sizeof(to->headers) / sizeof(to->headers[0]);
  if (to->headers_len == max || strlen(name) >= sizeof(to->headers[0].name) ||
      strlen(value) >= sizeof(to->headers[0].value) || strpbrk(value, "\r\n") != NULL)
    return -EINVAL;
  struct response_header *h = &to->headers[to->headers_len++];
  snprintf(h->name, sizeof(h->name), "%s", name);
  snprintf(h->value, sizeof(h->value), "%s", value);
  return 0;
}

/* What every page needs besides its own model. New reference. */
static json_t *make_frame(const struct request *r)
{
  const struct desk *desk = r->desk;
  const struct visitor *v = r->visitor;
  json_t *frame = json_pack("{s:s, s:b, s:I, s:o, s:O, s:o}", "vendor", desk->conf->vendor, "demo",
                            desk->conf->demonstration, "now", (json_int_t)r->now, "nav",
                            nav_model(r), "assets", assets_model(desk->assets), "start",
                            json_string(v->role == ROLE_NONE ? "/login" : "/"));
  if (frame != NULL && v->user_id != 0)
    json_object_set_new(frame, "user",
                        json_pack("{s:s?, s:s}", "name", v->name, "role", role_name(v->role)));
  if (frame != NULL && r->csrf != NULL)
    json_object_set_new(frame, "csrf", json_string(r->csrf));
  return frame;
}

int respond_page(const struct request *r, struct response *to, int status, const char *page,
                 const json_t *model, struct tm_error *err)
{
  /* NULL: json_pack() was given what it does not take. */
  json_t *whole = model != NULL ? json_copy((json_t *)model) : NULL;
  json_t *frame = make_frame(r);
  struct template_clock clock = {.now = r->now};
  int rc = whole != NULL && frame != NULL ? 0 : tm_fail(err, -ENOMEM, "%s: has no model", page);
  if (rc == 0)
    rc = json_object_set(whole, "desk", frame) < 0 ? -ENOMEM : 0;
  if (rc == 0)
    rc = template_render(r->desk->templates, page, whole, &clock, &to->body, err);
  json_decref(frame);
  json_decref(whole);
  if (rc < 0)
    return rc;
  to->status = status;
  to->content_type = html;
  return 0;
}

int respond_json(const struct request *r, struct response *to, int status, const json_t *value,
                 struct tm_error *err)
{
  char hash[TM_SHA256_HEX], etag[40];
  if (value == NULL)
    return tm_fail(err, -ENOMEM, "the answer has no model");
  if (tm_json_append(&to->body, value) < 0 || tm_buf_puts(&to->body, "\n") < 0)
    return tm_fail(err, -EFBIG, "the answer is too large");
  to->status = status;
  to->content_type = json;
  if (status != 200)
    return 0;
  tm_sha256_hex(hash, to->body.ptr, to->body.len);
  snprintf(etag, sizeof(etag), "\"%.32s\"", hash);
  const char *known = request_header(r, "if-none-match");
  if (known != NULL && strstr(known, etag) != NULL) {
    to->status = 304;
    tm_buf_reset(&to->body);
  }
  respond_header(to, "Cache-Control", "private, no-cache");
  return respond_header(to, "ETag", etag);
}

int respond_model(const struct request *r, struct response *to, const char *page,
                  const json_t *model, struct tm_error *err)
{
  return r->wants_json ? respond_json(r, to, 200, model, err)
                       : respond_page(r, to, 200, page, model, err);
}

int respond_redirect(struct response *to, const char *path, struct tm_error *err)
{
  if (path[0] != '/' || path[1] == '/' || path[1] == '\\' ||
      respond_header(to, "Location", path) < 0)
    return tm_fail(err, -EINVAL, "not a path of this desk to go on to");
  to->status = 303;
  return 0;
}

int respond_events(struct response *to, const char *topic)
{
  to->topic = topic;
  to->status = 200;
  to->content_type = "text/event-stream";
  return respond_header(to, "X-Accel-Buffering", "no"); /* nginx: pass on at once */
}

/* --- errors ----------------------------------------------------------------------------------- */

static const struct {
  int status;
  const char *title, *text; /* text: what to do, unless the caller knows better */
} errors[] = {
    {400, "This request was not understood", "Go back and try again."},
    {401, "Sign in first", "You are signed out."},
    {403, "This is not yours to do",
     "Your role may not see or do this. An administrator can change "
     "it."},
    {404, "There is nothing here",
     "The address is wrong, or what was here is gone, or it is not "
     "yours to see."},
    {405, "This cannot be done here", "The address is right, but not for this."},
    {409, "This was changed meanwhile", "Look again, and try again."},
    {413, "This is too much", "Less of it is taken."},
    {415, "This kind of content is not taken", "Go back and try again."},
    {422, "Something needs a change", "Go back and correct it."},
    {429, "Too many tries", "Wait a little, then try again."},
    {500, "The desk failed",
     "It was written to the log. Try again; if it stays, tell an "
     "administrator."},
    {503, "The desk is busy", "Try again in a moment."},
};

static size_t error_at(int status)
{
  size_t n = sizeof(errors) / sizeof(errors[0]);
  for (size_t i = 0; i < n; i++) {
    if (errors[i].status == status)
      return i;
  }
  return n - 2;
}

static int respond_error_json(const struct request *r, struct response *to, int status,
                              const char *field, const char *text)
{
  struct tm_error err;
  json_t *value = json_pack("{s:s}", "error", text);
  if (field != NULL)
    json_object_set_new(value, "field", json_string(field));
  int rc = respond_json(r, to, status, value, &err);
  json_decref(value);
  return rc;
}

int respond_error(const struct request *r, struct response *to, int status, const char *field,
                  const char *text)
{
  size_t i = error_at(status);
  struct tm_error err;
  char shown[sizeof(err.text)];
  tm_buf_reset(&to->body);
  to->fixed = NULL;
  to->topic = NULL;
  if (status == 404)
    text = NULL; /* the same for what is absent and what is another's */
  if (text !=
      NULL) { /* a reason may be cut within a character, and of that no answer can be made */
    tm_text_clean(shown, sizeof(shown), text, strlen(text));
    text = shown;
  }
  if (r->wants_json || r->desk->templates == NULL)
    return respond_error_json(r, to, status, field, text != NULL ? text : errors[i].title);
  json_t *model = json_pack("{s:s, s:i, s:s?, s:s}", "title", errors[i].title, "status", status,
                            "text", text, "hint", errors[i].text);
  int rc = respond_page(r, to, status, "error.html", model, &err);
  json_decref(model);
  return rc;
}
