/* SPDX-License-Identifier: MIT */
#include "common/conf_own.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_SOURCES = 10000 };

#define IN_SOURCE(field) offsetof(struct tm_conf_source, field)

const struct tm_key tm_conf_source_keys[] = {
    {.name = "directory", .kind = TM_KEY_PATH, .offset = IN_SOURCE(directory), .required = 1},
    {.name = "secret_file", .kind = TM_KEY_PATH, .offset = IN_SOURCE(secret_file), .required = 1},
    {.name = "old_secret_file", .kind = TM_KEY_PATH, .offset = IN_SOURCE(old_secret_file)},
    {.name = "customer", .kind = TM_KEY_NAME, .offset = IN_SOURCE(customer), .required = 1},
    {.name = "site", .kind = TM_KEY_NAME, .offset = IN_SOURCE(site), .required = 1},
    {0},
};

static int read_source(struct tm_conf_source *out, const struct tm_conf *conf,
                       const struct tm_reader *r)
{
  struct tm_conf_source s = {.name = cfg_title(r->section)};
  if (!tm_conf_is_name(s.name))
    return REFUSE(r, NULL, "the name takes letters, digits, '.', '_' and '-' only, at most %d",
                  TM_CONF_NAME_MAX);
  if (conf->role != TM_ROLE_VENDOR)
    return REFUSE(r, NULL, "a source is for role \"vendor\" only");
  int rc = tm_conf_read_keys(r, tm_conf_source_keys, &s);
  for (const struct tm_key *k = tm_conf_source_keys; rc == 0 && k->name != NULL; k++) {
    if (k->required != 0 && cfg_getstr(r->section, k->name) == NULL)
      rc = REFUSE(r, NULL, "%s is required", k->name);
  }
  if (rc == 0)
    *out = s;
  return rc;
}

int tm_conf_read_sources(struct tm_conf *out, const struct tm_conf_own *own, struct tm_error *err)
{
  unsigned n = cfg_size(own->cfg, "source");
  struct tm_reader r = {own, own->cfg, err};
  if (n > MAX_SOURCES)
    return REFUSE(&r, NULL, "more than %d sources", MAX_SOURCES);
  if (n == 0)
    return 0;
  out->sources = calloc(n, sizeof(*out->sources));
  if (out->sources == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  for (unsigned i = 0; i < n; i++) {
    r.section = cfg_getnsec(own->cfg, "source", i);
    int rc = read_source(&out->sources[i], out, &r);
    if (rc < 0)
      return rc;
    out->sources_len = i + 1;
  }
  return 0;
}
