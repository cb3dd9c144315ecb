/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_REQUEST_H
#define TM_DESK_REQUEST_H

#include "common/buf.h"
#include "common/error.h"
#include "contrib/desk/store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct desk;
struct route;

/* Who may: bits, so that a route names several. */
enum role {
  ROLE_NONE = 1 << 0,     /* without login */
  ROLE_SALES = 1 << 1,    /* opportunities, devices, inquiries, claims to read */
  ROLE_SERVICE = 1 << 2,  /* claims, devices */
  ROLE_FACTORY = 1 << 3,  /* inquiries, stock, demand; no customer's charts */
  ROLE_ENGINEER = 1 << 4, /* devices and their readings; works on site */
  ROLE_CUSTOMER = 1 << 5, /* own data alone */
  ROLE_ADMIN = 1 << 6,    /* people, sites, tables */
  ROLE_SITE = 1 << 7,     /* a site's exporter, by its token */
};
/* Everybody who has an account. */
#define ROLE_PEOPLE                                                                                \
  (ROLE_SALES | ROLE_SERVICE | ROLE_FACTORY | ROLE_ENGINEER | ROLE_CUSTOMER | ROLE_ADMIN)

/* The one who asks, as the guard found out; the handlers never look at credentials. */
struct visitor {
  enum role role;
  int64_t user_id;      /* 0: none */
  const char *name;     /* as people write it; for a site its id; NULL for nobody */
  const char *customer; /* ROLE_CUSTOMER and ROLE_SITE: the tenant; NULL else */
  const char *site;     /* ROLE_SITE */
  const char *staff;    /* the key of the table staff; NULL: none */
  int64_t credential;   /* ROLE_SITE: the row of the table credentials */
  bool by_token;        /* a bearer token or certificate: no session, no CSRF field */
};

/*
 * A whole request: the body is here before a handler runs, within the route's limit. Strings are
 * the request's and valid UTF-8 without control bytes (the guard refused the rest with 400).
 */
struct request {
  struct desk *desk;
  const struct route *route; /* NULL where none was found */
  const struct visitor *visitor;
  struct db_scope scope; /* of the visitor: handed to store_read and store_write */
  const char *method;
  const char *path; /* as it came, percent-encoded, without the query */
  const char *body; /* "" when there is none */
  size_t body_len;
  const char *address; /* of the peer, or what a trusted proxy says */
  const char *csrf;    /* of the session; NULL without one */
  int64_t now;
  bool wants_json; /* by path (/api/) or Accept */
  bool secure;     /* the visitor came by https */
  bool by_proxy;   /* the peer is a trusted proxy: what it adds is its own word */
};

/* A part of the path that the route's pattern names: "/devices/{id}", decoded. Never NULL for a
 * name that the pattern has. */
const char *request_part(const struct request *r, const char *name);
/* A parameter of the query string, or a field of a form that was posted; NULL when absent. A field
 * may have several lines. The members of a JSON object that was posted (application/json) are
 * fields too: numbers and objects as their text, true as "1", an array as a field that comes
 * several times; null and false are absent. */
const char *request_query(const struct request *r, const char *name);
const char *request_field(const struct request *r, const char *name);
/* The n-th of several fields of one name; NULL after the last. */
const char *request_field_nth(const struct request *r, const char *name, size_t n);
/* A header's value by name, NULL when absent; of a repeated one the first. */
const char *request_header(const struct request *r, const char *name);
const char *request_cookie(const struct request *r, const char *name);
/* The body as JSON within the limits of common/json.h; NULL with err. New reference. */
json_t *request_json(const struct request *r, struct tm_error *err);
/* A copy of a text that lives as long as the request; NULL for NULL or when memory is short. */
const char *request_keep(const struct request *r, const char *text);

struct response {
  int status;               /* 0: the handler gave none, which becomes 500 */
  const char *content_type; /* a literal */
  struct tm_buf body;
  const void *fixed; /* instead of body: memory that outlives the desk */
  size_t fixed_len;
  struct response_header {
    char name[32];
    char value[512];
  } headers[8];
  size_t headers_len;
  /* Server-sent events: the connection stays open and is fed from this topic (borrowed until the
   * handler returns); NULL else. */
  const char *topic;
};

/* Each returns 0 or a negative errno (the server then answers 500 and logs once). */
int respond_header(struct response *to, const char *name, const char *value);
/* Renders a page of pages/ around a model (borrowed; NULL fails, so that json_pack() may be handed
 * on); adds who is signed in, the navigation, the CSRF field, the demonstration mark and the time
 * by itself, as the member "desk". The parts head and foot want "title", and may have "reading"
 * (larger print) and "charts" (dygraphs). */
int respond_page(const struct request *r, struct response *to, int status, const char *page,
                 const json_t *model, struct tm_error *err);
/* Compact JSON with an ETag; a matching If-None-Match becomes 304. */
int respond_json(const struct request *r, struct response *to, int status, const json_t *value,
                 struct tm_error *err);
/* The same model as page or as JSON, by what was asked for. */
int respond_model(const struct request *r, struct response *to, const char *page,
                  const json_t *model, struct tm_error *err);
/* 303 to a path of this desk (checked), after a POST. */
int respond_redirect(struct response *to, const char *path, struct tm_error *err);
/* An error as page or JSON {"error": text, "field": field or absent}. 404 has one text for all
 * causes: a foreign id and an absent one answer alike. */
int respond_error(const struct request *r, struct response *to, int status, const char *field,
                  const char *text);
/* Events of a topic until the visitor leaves. Of one person's streams the oldest end when there are
 * too many. */
int respond_events(struct response *to, const char *topic);

#endif
