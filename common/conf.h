/* SPDX-License-Identifier: MIT */
#ifndef TM_CONF_H
#define TM_CONF_H

#include "common/buf.h"
#include "common/error.h"
#include "common/secret.h"
#include "common/thresholds.h"
#include "common/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The configuration file, tidemark.conf(5), which all programs share. Everything is checked when
 * it is loaded: an unknown key, a value out of range, a target that lacks a secret, plain http to
 * another machine. A message reads "FILE:LINE: what" and names the nearest known key. Whatever
 * goes wrong here is EX_CONFIG (78) for the program.
 */

/* What a customer may agree to; a set is an or of them. */
enum tm_purpose {
  TM_PURPOSE_SALES = 1,
  TM_PURPOSE_FACTORY = 2,
  TM_PURPOSE_SERVICE = 4,
  TM_PURPOSE_COMPARISON = 8,
};
#define TM_PURPOSES 4 /* how many there are; purpose number i is 1 << i */

enum tm_role { TM_ROLE_SITE, TM_ROLE_VENDOR };
enum tm_target_type { TM_TARGET_WEBHOOK, TM_TARGET_FILE, TM_TARGET_SMTP, TM_TARGET_TRYTON };
enum tm_schedule_rule { TM_EVERY_DAYS, TM_MONTHDAY, TM_WEEKDAY };

struct tm_conf_schedule {
  enum tm_schedule_rule rule;
  int days;                 /* TM_EVERY_DAYS: 1..3660 */
  int monthday;             /* TM_MONTHDAY: 1..31; the last day of a shorter month */
  int weekday;              /* TM_WEEKDAY: 0 Sunday .. 6 Saturday */
  int at_minute;            /* minute of the local day, 0..1439 */
  int quiet_from, quiet_to; /* minutes of the local day when nothing is sent; equal: never */
  int64_t jitter_s;         /* sending is spread over this long after a run is due */
};

struct tm_conf_spool {
  uint64_t max_items;  /* unsent items of one target */
  uint64_t max_bytes;  /* bytes of them */
  uint64_t free_bytes; /* never fill the disk beyond this */
  int64_t expire_s;    /* unsent items older than this go to dead/ */
  int64_t keep_s;      /* sent and dead items are kept this long */
};

/* Strings are NULL where not given; those that the type requires are always there. */
struct tm_conf_target {
  const char *name;
  enum tm_target_type type;
  unsigned purposes;
  const char *url;
  const char *directory;
  const char *token_file;
  const char *secret_file;
  const char *password_file;
  const char *user;
  const char *from;
  const char *to;
  struct tm_tls tls;
  const char *mapping;
  const char *factory;   /* tryton: the warehouse that is supplied */
  const char *state_dir; /* paths { state }: for what a target keeps between runs */
  bool starttls;         /* smtp: refuse to go on without TLS (the default) */
  bool create_parties;   /* tryton: a customer that it does not know is created (the default) */
  int64_t poll_s;        /* 0: never */
  bool show_requests;    /* a person decides each request of service, rather than the consent */
  int64_t timeout_s;     /* one whole exchange */
  uint64_t rate_bytes;   /* bytes a second; 0: no limit */
  uint64_t batch;        /* events in one request, 1..1000 */
  const char *file;      /* where the block stands, for messages */
  int line;
};

/* A server with the API of Prometheus that history comes from, and how it is asked. */
struct tm_conf_prometheus {
  const char *url;           /* NULL: none; then nothing else is given either */
  const char *tenant;        /* X-Scope-OrgID, as Mimir wants it */
  const char *token_file;    /* bearer token */
  const char *user;          /* or user and password */
  const char *password_file; /* given with user */
  struct tm_tls tls;
};

/* Role vendor: a folder in which one site drops its documents. The tenant of what lies there is
 * that of the secret, whatever a document says. */
struct tm_conf_source {
  const char *name, *directory, *secret_file, *customer, *site;
  const char *old_secret_file; /* accepted too, while a site changes to the new one; or NULL */
};

struct tm_conf {
  enum tm_role role;
  const char *customer_id; /* NULL where not given; [A-Za-z0-9._-] only, as are site and host */
  const char *customer_name;
  const char *site;
  const char *timezone; /* NULL: the system's */
  const char *host;     /* NULL: the system's host name */
  const char *data_dir;
  const char *state_dir;
  const char *spool_dir;
  const char *rrdcached; /* socket of rrdcached, asked to write before RRDs are read; or NULL */
  struct tm_conf_prometheus prometheus;
  const char *catalogue; /* NULL where not given */
  const char *products;  /* NULL where not given */
  bool names_clear;      /* false: device and host names leave as pseudonyms */
  struct tm_conf_schedule schedule;
  struct tm_conf_spool spool;
  struct rule_thresholds recommend;
  struct tm_conf_target *targets;
  size_t targets_len;
  struct tm_conf_source *sources;
  size_t sources_len;
  const char *path;        /* the file that was read */
  struct tm_conf_own *own; /* memory of all strings */
};

/*
 * Loads path (NULL: the installed one, TM_CONF_PATH of places.h), then every *.conf of the folder
 * path.d in the order of their names. A single key that stands twice takes its last value; a
 * target's name that stands twice is an error. 0, or a negative errno; -ENOENT only where path is
 * NULL and nothing is installed (a program that can work without takes tm_conf_defaults then). Not
 * for several threads at once.
 */
int tm_conf_load(struct tm_conf *out, const char *path, struct tm_error *err);
/* The same from memory, without a folder of further files; name stands in messages. */
int tm_conf_parse(struct tm_conf *out, const char *text, size_t len, const char *name,
                  struct tm_error *err);
/* What holds without any file. */
void tm_conf_defaults(struct tm_conf *out);
void tm_conf_release(struct tm_conf *conf);

/* The target of that name, or NULL with the nearest name in err. Borrowed. */
const struct tm_conf_target *tm_conf_target(const struct tm_conf *conf, const char *name,
                                            struct tm_error *err);

/* -EINVAL with "FILE: customer { id } is required for this" unless customer and site are named. */
int tm_conf_need_identity(const struct tm_conf *conf, struct tm_error *err);

const char *tm_purpose_name(enum tm_purpose purpose);
/* The purpose of that name, or 0. */
unsigned tm_purpose_of(const char *name);
const char *tm_target_type_name(enum tm_target_type type);

/* True when the URL's host is this machine: localhost, 127.0.0.0/8 or [::1]. */
bool tm_url_is_loopback(const char *url);

#endif
