/* SPDX-License-Identifier: MIT */
#include "exporters/spool.h"

#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "tidemark-spool/1 "

/* The first line: MAGIC, the checksum of the rest. Returns where the rest begins, or 0. */
static size_t check_sum(const struct tm_buf *file)
{
  const size_t magic = strlen(MAGIC);
  const size_t line = magic + TM_SHA256_HEX; /* its NUL's place is the newline's */
  char hash[TM_SHA256_HEX];
  if (file->len < line || memcmp(file->ptr, MAGIC, magic) != 0 || file->ptr[line - 1] != '\n')
    return 0;
  tm_sha256_hex(hash, file->ptr + line, file->len - line);
  return memcmp(hash, file->ptr + magic, TM_SHA256_HEX - 1) == 0 ? line : 0;
}

static bool head_is_sound(const json_t *head, const char *key)
{
  const char *own = tm_json_get_string(head, "key");
  const json_t *purposes = json_object_get(head, "purposes");
  size_t i;
  json_t *purpose;
  if (own == NULL || strlen(own) != SPOOL_KEY_SIZE - 1 || (key != NULL && strcmp(own, key) != 0) ||
      !json_is_array(purposes))
    return false;
  json_array_foreach(purposes, i, purpose)
  {
    if (!json_is_string(purpose) || tm_purpose_of(json_string_value(purpose)) == 0)
      return false;
  }
  return tm_json_get_string(head, "type") != NULL && tm_json_get_string(head, "device") != NULL;
}

int spool_item_parse(struct spool_item *item, const char *name, const char *key,
                     struct tm_error *err)
{
  size_t start = check_sum(&item->file);
  if (start == 0)
    return tm_fail(err, -EBADMSG, "%s: damaged: the checksum does not fit", name);
  const char *line = item->file.ptr + start;
  const char *end = memchr(line, '\n', item->file.len - start);
  if (end == NULL)
    return tm_fail(err, -EBADMSG, "%s: damaged: it has no body", name);
  json_t *head = tm_json_parse(line, (size_t)(end - line), name, err);
  if (head == NULL) /* no memory is no damage: what was promised stays where it is */
    return err != NULL && err->code == -ENOMEM ? -ENOMEM : -EBADMSG;
  if (!head_is_sound(head, key)) {
    json_decref(head);
    return tm_fail(err, -EBADMSG, "%s: damaged: what it says about itself does not fit", name);
  }
  item->head = head;
  item->body = end + 1;
  item->body_len = item->file.len - (size_t)(end + 1 - item->file.ptr);
  return 0;
}

int spool_read(const struct spool *s, enum spool_state state, const struct spool_entry *entry,
               struct spool_item *item, struct tm_error *err)
{
  char path[PATH_MAX];
  *item = (struct spool_item){.file = TM_BUF_INIT(SPOOL_ITEM_MAX)};
  int n = snprintf(path, sizeof(path), "%s/%s/%s", s->dir, spool_state_name(state), entry->name);
  if (n < 0 || n >= (int)sizeof(path))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", s->dir);
  int rc = tm_file_read(path, &item->file, err);
  if (rc == 0)
    rc = spool_item_parse(item, path, entry->key, err);
  if (rc < 0)
    spool_item_release(item);
  return rc;
}

void spool_item_release(struct spool_item *item)
{
  json_decref(item->head);
  tm_buf_release(&item->file);
  *item = (struct spool_item){0};
}
