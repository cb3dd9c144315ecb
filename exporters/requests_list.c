/* SPDX-License-Identifier: MIT */
#include "exporters/requests_own.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

const char *requests_text(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL ? text : "";
}

static int is_request(const struct dirent *entry)
{
  size_t len = strlen(entry->d_name);
  return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

bool requests_is_over(const json_t *request, int64_t now)
{
  int64_t end = 0;
  return tm_time_parse(requests_text(request, "expires_at"), &end) < 0 || end < now;
}

static void print_request(const json_t *note, int64_t now)
{
  const json_t *request = json_object_get(note, "request");
  const char *state = requests_text(note, "state");
  size_t i;
  json_t *item;
  printf("%s  %s  %s  %s/%s  %s:", requests_text(request, "id"),
         strcmp(state, "asked") == 0 && requests_is_over(request, now) ? "expired" : state,
         requests_text(note, "target"), requests_text(request, "host"),
         requests_text(request, "device"), requests_text(request, "purpose"));
  json_array_foreach(json_object_get(request, "items"), i, item)
  {
    printf(" %s", json_string_value(item));
  }
  if (tm_json_get_string(request, "reason") != NULL) {
    json_t *clean = tm_json_text(requests_text(request, "reason"));
    printf("  (%s)", json_is_string(clean) ? json_string_value(clean) : "");
    json_decref(clean);
  }
  if (tm_json_get_string(note, "trouble") != NULL)
    printf("  [%s]", requests_text(note, "trouble"));
  putchar('\n');
}

int requests_each(const struct tm_conf *conf, void (*take)(void *arg, const json_t *note),
                  void *arg, struct tm_error *err)
{
  char folder[PATH_MAX], path[PATH_MAX + 256];
  struct dirent **names = NULL;
  snprintf(folder, sizeof(folder), "%s/requests", conf->state_dir);
  int n = scandir(folder, &names, is_request, alphasort);
  if (n < 0 && errno != ENOENT)
    return tm_fail(err, -errno, "%s: %s", folder, strerror(errno));
  int rc = 0;
  for (int i = 0; i < n; i++) {
    struct tm_error why = {0};
    snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
    json_t *note = tm_json_read(path, REQUESTS_NOTE_MAX, &why);
    if (note != NULL)
      take(arg, note);
    else if (rc == 0 && why.code != -ENOENT) /* another process may have tidied up */
      rc = tm_fail(err, why.code, "%s", why.text);
    json_decref(note);
    free(names[i]);
  }
  free(names);
  return rc;
}

struct listing {
  bool as_json;
  int64_t now;
};

static void list_one(void *arg, const json_t *note)
{
  const struct listing *l = arg;
  if (!l->as_json) {
    print_request(note, l->now);
    return;
  }
  json_dumpf(note, stdout, JSON_COMPACT);
  putchar('\n');
}

int requests_list(const struct tm_conf *conf, bool as_json, int64_t now)
{
  struct listing listing = {as_json, now};
  struct tm_error err = {0};
  return tm_log_status(requests_each(conf, list_one, &listing, &err), &err);
}
