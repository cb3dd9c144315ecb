/* SPDX-License-Identifier: MIT */
#include "exporters/inquiry.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/lock.h"
#include "common/log.h"
#include "exporters/requests.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_RECORD = 1 << 20, MAX_LINES = 50, MAX_TEXT = 200, MAX_PIECES = 1000000 };

/* --- checks --------------------------------------------------------------------------------- */

static const char *short_text(const json_t *object, const char *key)
{
  const char *text = tm_json_get_string(object, key);
  return text != NULL && text[0] != '\0' && strlen(text) <= MAX_TEXT ? text : NULL;
}

static bool is_count(const json_t *object, const char *key, json_int_t min)
{
  const json_t *n = json_object_get(object, key);
  return json_is_integer(n) && json_integer_value(n) >= min && json_integer_value(n) <= MAX_PIECES;
}

static int check_frame(const json_t *document, const char *schema, const char *id_key,
                       const char *time_key, struct tm_error *err)
{
  const char *is = tm_json_get_string(document, "schema");
  const char *id = tm_json_get_string(document, id_key);
  const json_t *lines = json_object_get(document, "lines");
  int64_t t;
  if (is == NULL || strcmp(is, schema) != 0)
    return tm_fail(err, -EBADMSG, "schema: %s is wanted", schema);
  if (id == NULL || !requests_is_id(id))
    return tm_fail(err, -EBADMSG, "%s: at most 64 letters, digits, '_' and '-' are wanted", id_key);
  if (!tm_json_get_time(document, time_key, &t))
    return tm_fail(err, -EBADMSG, "%s: %s: a time is wanted", id, time_key);
  if (!json_is_array(lines) || json_array_size(lines) < 1 || json_array_size(lines) > MAX_LINES)
    return tm_fail(err, -EBADMSG, "%s: lines: 1 to %d are wanted", id, MAX_LINES);
  return 0;
}

int inquiry_check(const json_t *inquiry, struct tm_error *err)
{
  int rc = check_frame(inquiry, "tidemark.inquiry/1", "id", "asked_at", err);
  size_t i;
  json_t *line;
  if (rc < 0)
    return rc;
  const char *id = tm_json_get_string(inquiry, "id");
  if (short_text(inquiry, "shop") == NULL)
    return tm_fail(err, -EBADMSG, "%s: shop: where the goods are wanted", id);
  json_array_foreach(json_object_get(inquiry, "lines"), i, line)
  {
    if (short_text(line, "sku") == NULL || !is_count(line, "quantity", 1))
      return tm_fail(err, -EBADMSG, "%s: lines[%zu]: a sku and a quantity from 1 to %d are wanted",
                     id, i, MAX_PIECES);
  }
  return 0;
}

int inquiry_check_answer(const json_t *answer, struct tm_error *err)
{
  int rc = check_frame(answer, "tidemark.answer/1", "inquiry", "answered_at", err);
  size_t i;
  json_t *line;
  if (rc < 0)
    return rc;
  json_array_foreach(json_object_get(answer, "lines"), i, line)
  {
    const json_t *at = json_object_get(line, "at");
    int64_t t;
    if (short_text(line, "sku") == NULL || short_text(at, "shop") == NULL ||
        !tm_json_get_time(at, "on", &t) || !is_count(at, "quantity", 0))
      return tm_fail(err, -EBADMSG,
                     "%s: lines[%zu]: a sku, and at: shop, on and quantity, are wanted",
                     tm_json_get_string(answer, "inquiry"), i);
  }
  return 0;
}

/* --- files ---------------------------------------------------------------------------------- */

static int path_of(char out[PATH_MAX], const char *state_dir, const char *folder, const char *id,
                   struct tm_error *err)
{
  int n = snprintf(out, PATH_MAX, "%s/inquiries/%s%s%s", state_dir, folder, id,
                   id[0] != '\0' ? ".json" : "");
  return n < 0 || n >= PATH_MAX ? tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", state_dir)
                                : 0;
}

const char *inquiry_id(const json_t *record)
{
  return tm_json_get_string(json_object_get(record, "inquiry"), "id");
}

int inquiry_read(const char *state_dir, const char *id, json_t **record, struct tm_error *err)
{
  char path[PATH_MAX];
  struct tm_error why = {0};
  *record = NULL;
  if (!requests_is_id(id))
    return 0;
  int rc = path_of(path, state_dir, "", id, err);
  if (rc < 0)
    return rc;
  json_t *found = tm_json_read(path, MAX_RECORD, &why);
  if (found == NULL)
    return why.code == -ENOENT ? 0 : tm_fail(err, why.code, "%s", why.text);
  const char *is = inquiry_id(found);
  if (is == NULL || strcmp(is, id) != 0) {
    json_decref(found);
    return tm_fail(err, -EBADMSG, "%s: not the inquiry %s", path, id);
  }
  *record = found;
  return 0;
}

static int write_file(const char *state_dir, const char *folder, const char *id,
                      const json_t *document, struct tm_error *err)
{
  char path[PATH_MAX], dir[PATH_MAX];
  int rc = path_of(dir, state_dir, folder, "", err);
  if (rc == 0)
    rc = path_of(path, state_dir, folder, id, err);
  if (rc == 0)
    rc = tm_dir_make(dir, 0750, err);
  if (rc < 0)
    return rc;
  char *text = json_dumps(document, JSON_COMPACT);
  if (text == NULL)
    rc = tm_fail(err, -ENOMEM, "out of memory");
  else
    rc = tm_file_write(path, text, strlen(text), 0640, err);
  free(text);
  return rc;
}

int inquiry_write(const char *state_dir, const json_t *record, struct tm_error *err)
{
  return write_file(state_dir, "", inquiry_id(record), record, err);
}

static int is_record(const struct dirent *entry)
{
  size_t len = strlen(entry->d_name);
  return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

int inquiry_each(const char *state_dir, inquiry_function *function, void *arg, struct tm_error *err)
{
  char dir[PATH_MAX];
  struct dirent **names = NULL;
  struct tm_error why = {0};
  int unread = 0;
  int rc = path_of(dir, state_dir, "", "", err);
  int n = rc == 0 ? scandir(dir, &names, is_record, alphasort) : 0;
  if (n < 0)
    return errno == ENOENT ? 0 : tm_fail(err, -errno, "%s: %s", dir, strerror(errno));
  for (int i = 0; i < n; i++) {
    names[i]->d_name[strlen(names[i]->d_name) - 5] = '\0';
    json_t *record = NULL;
    if (rc == 0 && inquiry_read(state_dir, names[i]->d_name, &record, &why) < 0) {
      tm_log_error("%s", why.text);
      unread = why.code;
    }
    if (record != NULL)
      rc = function(arg, record, err);
    json_decref(record);
    free(names[i]);
  }
  free(names);
  if (rc == 0 && unread < 0)
    rc = tm_fail(err, unread, "%s: not all could be read", dir);
  return rc;
}

int inquiry_lock(const char *state_dir, struct tm_error *err)
{
  char dir[PATH_MAX], path[PATH_MAX + 8];
  int rc = path_of(dir, state_dir, "", "", err);
  if (rc == 0)
    rc = tm_dir_make(dir, 0750, err);
  if (rc < 0)
    return rc;
  snprintf(path, sizeof(path), "%s.lock", dir);
  return tm_lock_take(path, 0640, TM_LOCK_FOREVER, err);
}

/* --- answers from elsewhere ----------------------------------------------------------------- */

int inquiry_take_answer(const char *state_dir, const json_t *answer, struct tm_error *err)
{
  const char *id = tm_json_get_string(answer, "inquiry");
  json_t *record = NULL;
  int rc = inquiry_read(state_dir, id, &record, err);
  if (rc < 0)
    return rc;
  if (record == NULL) {
    rc = write_file(state_dir, "strange/", id, answer, err);
    return rc < 0 ? rc : tm_fail(err, -ENOENT, "%s: nobody asked under this id", id);
  }
  int64_t had = tm_json_time_or(json_object_get(record, "answer"), "answered_at", INT64_MIN);
  rc = 1;
  if (tm_json_time_or(answer, "answered_at", INT64_MIN) > had) {
    json_object_set(record, "answer", (json_t *)answer);
    json_object_del(record, "refused");
    if (json_object_get(record, "closed") != NULL)
      json_object_set_new(record, "late", json_true());
    rc = inquiry_write(state_dir, record, err);
  }
  json_decref(record);
  return rc;
}
