/* SPDX-License-Identifier: MIT */
#include "exporters/requests.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_REQUESTS = 100 };

static bool is_purpose(const char *purpose)
{
  unsigned p = purpose != NULL ? tm_purpose_of(purpose) : 0;
  return p == TM_PURPOSE_SERVICE || p == TM_PURPOSE_COMPARISON;
}

/* The id becomes a file's name: nothing of a path can be in it. */
bool requests_is_id(const char *id)
{
  size_t n = id != NULL
                 ? strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
                 : 0;
  return n > 0 && n <= 64 && id[n] == '\0';
}

bool requests_is_sound(const json_t *request)
{
  const json_t *items = json_object_get(request, "items");
  size_t i;
  json_t *item;
  if (!requests_is_id(tm_json_get_string(request, "id")) ||
      tm_json_get_string(request, "host") == NULL ||
      tm_json_get_string(request, "device") == NULL || json_array_size(items) == 0 ||
      json_array_size(items) > REQUESTS_ITEMS ||
      !is_purpose(tm_json_get_string(request, "purpose")) ||
      tm_json_get_string(request, "expires_at") == NULL)
    return false;
  json_array_foreach(items, i, item)
  {
    if (!requests_is_id(json_string_value(item)))
      return false;
  }
  return true;
}

/* 1 when it is new. */
static int store(const struct tm_conf *conf, const struct tm_conf_target *target,
                 const json_t *request, struct tm_error *err)
{
  char folder[PATH_MAX], path[PATH_MAX];
  int n = snprintf(folder, sizeof(folder), "%s/requests", conf->state_dir);
  int m = snprintf(path, sizeof(path), "%s/requests/%s.json", conf->state_dir,
                   tm_json_get_string(request, "id"));
  if (n < 0 || m < 0 || m >= (int)sizeof(path))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", conf->state_dir);
  int rc = tm_dir_make(folder, 0750, err);
  if (rc < 0 || tm_path_is_there(path))
    return rc; /* it comes again until it is answered */
  json_t *note = json_pack("{s:s,s:o,s:s,s:O}", "target", target->name, "received_at",
                           tm_json_time(tm_now()), "state", "asked", "request", request);
  char *text = json_dumps(note, JSON_INDENT(2));
  json_decref(note);
  if (text == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  rc = tm_file_write(path, text, strlen(text), 0640, err);
  free(text);
  if (rc == 0)
    tm_log_warning("%s: service asks for data of %s: see 'tidemark-export requests'", target->name,
                   tm_json_get_string(request, "device"));
  return rc < 0 ? rc : 1;
}

size_t requests_store(const struct tm_conf *conf, const struct tm_conf_target *target,
                      const json_t *requests)
{
  struct tm_error err = {0};
  size_t stored = 0;
  size_t i;
  json_t *request;
  json_array_foreach(requests, i, request)
  {
    if (i >= MAX_REQUESTS)
      break;
    int rc = 0;
    if (!requests_is_sound(request))
      tm_log_warning("%s: a request that is none was passed over", target->name);
    else if ((rc = store(conf, target, request, &err)) < 0)
      tm_log_error("%s: %s", target->name, err.text);
    stored += rc > 0;
  }
  return stored;
}
