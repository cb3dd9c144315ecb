/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_CONF_H
#define TM_DESK_CONF_H

#include "common/error.h"
#include "contrib/desk/http/guard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * desk.conf(5): the same syntax and the same messages as tidemark.conf. Everything is checked when
 * it is loaded. Strings are NULL where not given, unless a default is named.
 */
struct desk_conf {
  const char *listen;         /* "127.0.0.1:8080" */
  const char *admin_listen;   /* "127.0.0.1:8081": /healthz and /metrics; NULL: none */
  const char *public_url;     /* without a slash at its end; as mails and links say it */
  bool https;                 /* public_url says so */
  const char *vendor;         /* as pages say it; "Tidemark" */
  const char *vendor_address; /* as quotes say it, lines divided by ", "; NULL: none */
  bool demonstration;         /* every page says that its data are not real */
  const char *timezone;       /* of the pages; NULL: the system's */

  const char *database; /* "sqlite:/var/lib/tidemark-desk/desk.db" */
  const char *database_password_file;
  const char *state_dir;      /* "/var/lib/tidemark-desk" */
  const char *data_dir;       /* pages/ and static/; TM_DATADIR "/desk" */
  const char *javascript_dir; /* "/usr/share/javascript" */

  struct guard_net trusted[16]; /* proxies */
  size_t trusted_len;

  struct desk_conf_mail {
    const char *url; /* smtp:// or smtps://; NULL: no mail is sent */
    const char *from;
    const char *team;    /* who gets what nobody looks after; NULL: from */
    const char *quality; /* who hears of claims that cluster on a model; NULL: nobody */
    const char *user;
    const char *password_file;
    const char *ca_file; /* NULL: the system's */
    bool starttls;       /* refuse to go on without TLS (the default) */
  } mail;
  struct desk_conf_public {
    bool products;      /* product pages without sign-in */
    bool prices, dates; /* shown there (the default) */
    bool stock;         /* pieces in each shop; not shown unless it is allowed */
  } public;
  struct desk_conf_factory {
    bool tryton; /* else our own tables of stock */
    const char *url;
    const char *user;
    const char *password_file;
  } factory;
  /* How long is kept, seconds; 0: for ever. */
  struct desk_conf_retention {
    int64_t summaries_s, history_s, events_s, audit_s, closed_s;
  } retention;
  struct desk_conf_limits {
    uint64_t workers, connections, connections_per_address, streams;
    uint64_t body_bytes;     /* of all requests that are being received together */
    int64_t request_s;       /* a whole request */
    int64_t idle_s, total_s; /* of a session */
    uint64_t tries;          /* wrong passwords in try_s */
    int64_t try_s;
    uint64_t contacts; /* forms of product pages that are taken of one address in an hour */
  } limits;

  struct tm_conf_own *own;
};

/* path NULL: the installed one, DESK_CONF_PATH of places.h; -ENOENT where there is none. Whatever
 * goes wrong is EX_CONFIG. */
int desk_conf_load(struct desk_conf *out, const char *path, struct tm_error *err);
int desk_conf_parse(struct desk_conf *out, const char *text, size_t len, const char *name,
                    struct tm_error *err);
void desk_conf_release(struct desk_conf *conf);

#endif
