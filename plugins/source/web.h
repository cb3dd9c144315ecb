/* SPDX-License-Identifier: MIT */
#ifndef TM_WEB_H
#define TM_WEB_H

#include "common/http.h"
#include "plugins/ask.h"
#include "plugins/credentials.h"

/*
 * What the sources that ask by HTTP (redfish, ipp) have in common: their settings, credentials, a
 * connection for each part of a question, and asking many devices at the same time, each by a
 * thread of its own. It uses libcurl and threads, so collectd's process leaves it to the helper.
 */

/* The settings that both take, for their tables of keys. */
#define WEB_KEYS                                                                                   \
  "Address", "Port", "Path", "TLS", "Credentials", "CACert", "ClientCert", "ClientKey", "PinnedKey"

/* The files of credentials that the devices of a source name, each loaded once: setup and teardown
 * of struct ask_source. */
struct web_shared;
int web_setup(void **shared, const struct ask_settings *defaults, struct tm_error *err);
void web_teardown(void *shared);

struct web {
  const char *host; /* borrowed from the settings, as are the strings of options */
  unsigned port;
  bool tls;
  char *name;     /* "host:port", for messages */
  char *base_url; /* "https://host:port/path" */
  struct tm_http_options options;
  const struct credential *credential; /* NULL: none */
};

struct web_default {
  bool tls;
  unsigned port_tls;
  unsigned port_plain;
  const char *path;
};

/* What the two sources are called and take, for their own tables and for the helper's. */
extern const char *const redfish_schemes[];
extern const char *const ipp_schemes[];
extern const struct web_default redfish_default;
extern const struct web_default ipp_default;
int redfish_from_url(const struct ask_url *url, struct ask_settings *settings,
                     struct tm_error *err);
int ipp_from_url(const struct ask_url *url, struct ask_settings *settings, struct tm_error *err);
bool redfish_to_url(const struct ask_settings *settings, char *url, size_t size);
bool ipp_to_url(const struct ask_settings *settings, char *url, size_t size);

/* Checks the settings, which must live as long as w. -EINVAL with the key that is wrong. */
int web_open(struct web *w, struct web_shared *shared, const struct ask_settings *settings,
             const struct web_default *otherwise, struct tm_error *err);
void web_release(struct web *w);

/* The connection in *lane, made when it is NULL. The caller frees it in the end. */
int web_connect(const struct web *w, struct tm_http **lane, struct tm_error *err);
/* True when user and password may be sent: over TLS, to this machine, or where "plain" says so. */
bool web_may_login(const struct web *w);
/* The time-out of one request, in ms, of a job that ends at its deadline; -ETIMEDOUT when that has
 * passed. */
long web_timeout_ms(const struct ask_job *job, struct tm_error *err);

/* Runs one() for every job, up to 64 at a time, and ask_done() after it. A job whose deadline
 * passes before its turn comes is told so without being run. */
void web_ask(struct ask_job *const *jobs, size_t jobs_len, void (*one)(struct ask_job *job));
/* For sources without data items: each is said to be not offered. */
void web_no_items(struct ask_job *job);

#endif
