/* SPDX-License-Identifier: MIT */
/* The settings of sources that ask by HTTP. No libcurl here: collectd's process checks them too. */
#include "plugins/source/web.h"

#include "common/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_BODY = 4 << 20 };

/* --- credentials -------------------------------------------------------------------------- */

struct web_shared {
  struct web_file {
    char *path;
    struct credentials *credentials;
  } * files;
  size_t len;
};

int web_setup(void **shared, const struct ask_settings *defaults, struct tm_error *err)
{
  (void)defaults;
  *shared = calloc(1, sizeof(struct web_shared));
  return *shared != NULL ? 0 : tm_fail(err, -ENOMEM, "out of memory");
}

void web_teardown(void *shared)
{
  struct web_shared *s = shared;
  if (s == NULL)
    return;
  for (size_t i = 0; i < s->len; i++) {
    free(s->files[i].path);
    credentials_free(s->files[i].credentials);
  }
  free(s->files);
  free(s);
}

static int load_once(struct web_shared *s, const char *path, const struct credentials **out,
                     struct tm_error *err)
{
  for (size_t i = 0; i < s->len; i++) {
    if (strcmp(s->files[i].path, path) == 0) {
      *out = s->files[i].credentials;
      return 0;
    }
  }
  struct credentials *loaded = NULL;
  char *copy = strdup(path);
  struct web_file *longer = realloc(s->files, (s->len + 1) * sizeof(*longer));
  if (longer != NULL)
    s->files = longer;
  int rc = copy != NULL && longer != NULL ? credentials_load(&loaded, path, err)
                                          : tm_fail(err, -ENOMEM, "out of memory");
  if (rc < 0) {
    free(copy);
    return rc;
  }
  s->files[s->len++] = (struct web_file){copy, loaded};
  *out = loaded;
  return 0;
}

/* --- settings ----------------------------------------------------------------------------- */

/* Address, Port, Path and TLS of a URL; tls is what its scheme means. */
static int from_url(const struct ask_url *url, bool tls, struct ask_settings *settings,
                    struct tm_error *err)
{
  char port[16];
  snprintf(port, sizeof(port), "%u", url->port);
  if (url->user[0] != '\0')
    return tm_fail(err, -EINVAL, "%s: a user belongs into the file of credentials", url->host);
  if (url->host[0] == '\0')
    return tm_fail(err, -EINVAL, "%s: a host is wanted, as in %s://HOST", url->scheme, url->scheme);
  int rc = ask_settings_set(settings, "Address", url->host);
  if (rc == 0 && url->port != 0)
    rc = ask_settings_set(settings, "Port", port);
  if (rc == 0 && url->path[0] != '\0' && strcmp(url->path, "/") != 0)
    rc = ask_settings_set(settings, "Path", url->path);
  if (rc == 0)
    rc = ask_settings_set(settings, "TLS", tls ? "true" : "false");
  return rc < 0 ? tm_fail(err, rc, "out of memory") : 0;
}

static int read_tls(struct web *w, const char *text, struct tm_error *err)
{
  if (text == NULL)
    return 0;
  if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
    return tm_fail(err, -EINVAL, "TLS: true or false is wanted");
  w->tls = strcasecmp(text, "true") == 0;
  return 0;
}

static int make_url(struct web *w, const char *path, struct tm_error *err)
{
  bool v6 = strchr(w->host, ':') != NULL;
  if (asprintf(&w->name, "%s%s%s:%u", v6 ? "[" : "", w->host, v6 ? "]" : "", w->port) < 0)
    w->name = NULL;
  if (w->name == NULL || asprintf(&w->base_url, "%s://%s%s%s", w->tls ? "https" : "http", w->name,
                                  path[0] == '/' ? "" : "/", path) < 0) {
    w->base_url = NULL;
    return tm_fail(err, -ENOMEM, "out of memory");
  }
  return 0;
}

static int fill(struct web *w, struct web_shared *shared, const struct ask_settings *settings,
                const struct web_default *otherwise, struct tm_error *err)
{
  const char *port = ask_settings_get(settings, "Port");
  const char *path = ask_settings_get(settings, "Path");
  const char *file = ask_settings_get(settings, "Credentials");
  const struct credentials *credentials = NULL;
  uint64_t number = 0;
  w->host = ask_settings_get(settings, "Address");
  if (w->host == NULL || w->host[0] == '\0' || strpbrk(w->host, "/@?# ") != NULL)
    return tm_fail(err, -EINVAL, "Address: the name or number of a host is wanted");
  int rc = read_tls(w, ask_settings_get(settings, "TLS"), err);
  if (rc < 0)
    return rc;
  w->port = w->tls ? otherwise->port_tls : otherwise->port_plain;
  if (port != NULL) {
    if (tm_parse_u64(port, 1, 65535, &number) < 0)
      return tm_fail(err, -EINVAL, "Port: 1 to 65535 is wanted");
    w->port = (unsigned)number;
  }
  if (file != NULL)
    rc = load_once(shared, file, &credentials, err);
  if (rc < 0)
    return rc;
  w->credential = credentials_find(credentials, w->host, w->port);
  w->options = (struct tm_http_options){
      .max_body_bytes = MAX_BODY,
      .allow_plain = true, /* what may travel over it: web_may_login() */
      .tls = {.ca_file = ask_settings_get(settings, "CACert"),
              .client_cert = ask_settings_get(settings, "ClientCert"),
              .client_key = ask_settings_get(settings, "ClientKey"),
              .pinned_key = ask_settings_get(settings, "PinnedKey")},
  };
  return make_url(w, path != NULL ? path : otherwise->path, err);
}

int web_open(struct web *w, struct web_shared *shared, const struct ask_settings *settings,
             const struct web_default *otherwise, struct tm_error *err)
{
  *w = (struct web){.tls = otherwise->tls};
  int rc = fill(w, shared, settings, otherwise, err);
  if (rc < 0)
    web_release(w);
  return rc;
}

void web_release(struct web *w)
{
  free(w->name);
  free(w->base_url);
  *w = (struct web){0};
}

/* --- the two of them ---------------------------------------------------------------------- */

const char *const redfish_schemes[] = {"redfish", "redfishs", NULL};
const char *const ipp_schemes[] = {"ipp", "ipps", NULL};
const struct web_default redfish_default = {
    .tls = true, .port_tls = 443, .port_plain = 80, .path = "/"};
const struct web_default ipp_default = {
    .tls = false, .port_tls = 631, .port_plain = 631, .path = "/ipp/print"};

int redfish_from_url(const struct ask_url *url, struct ask_settings *settings, struct tm_error *err)
{
  if (url->path[0] != '\0' && strcmp(url->path, "/") != 0)
    return tm_fail(err, -EINVAL, "%s: the service root is /redfish/v1 always: give no path",
                   url->host);
  return from_url(url, strcmp(url->scheme, "redfishs") == 0, settings, err);
}

int ipp_from_url(const struct ask_url *url, struct ask_settings *settings, struct tm_error *err)
{
  return from_url(url, strcmp(url->scheme, "ipps") == 0, settings, err);
}

/* As fill() understands TLS and Path. */
static bool web_to_url(const char *scheme, const char *scheme_tls, bool tls_default,
                       const struct ask_settings *settings, const char *path, char *url,
                       size_t size)
{
  const char *tls = ask_settings_get(settings, "TLS");
  bool encrypted = tls != NULL ? strcasecmp(tls, "true") == 0 : tls_default;
  return ask_url_make(url, size, encrypted ? scheme_tls : scheme, settings, path);
}

bool redfish_to_url(const struct ask_settings *settings, char *url, size_t size)
{
  return web_to_url("redfish", "redfishs", redfish_default.tls, settings, NULL, url, size);
}

bool ipp_to_url(const struct ask_settings *settings, char *url, size_t size)
{
  return web_to_url("ipp", "ipps", ipp_default.tls, settings, ask_settings_get(settings, "Path"),
                    url, size);
}
