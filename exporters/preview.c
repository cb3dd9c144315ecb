/* SPDX-License-Identifier: MIT */
#include "exporters/queue.h"

#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "exporters/document.h"
#include "exporters/input.h"
#include "exporters/mapping/requests.h"
#include "exporters/outlet.h"
#include "exporters/target.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct preview {
  const struct queue_order *order;
  const char *output;
  struct document_maker maker;
  struct outlet *outlets;
  size_t n;
  const struct target_ops *ops; /* of a target that shows its requests itself; */
  void *state;                  /* NULL until it has something to show */
};

/* What is shown of one event. */
struct shown {
  const char *device, *target, *kind, *key;
  const char *body;
  size_t len;
};

static int write_copy(const struct preview *p, const struct shown *s, struct tm_error *err)
{
  char path[PATH_MAX];
  int rc = tm_dir_make(p->output, 0750, err);
  int n = snprintf(path, sizeof(path), "%s/%s.json", p->output, s->key);
  if (n < 0 || n >= (int)sizeof(path))
    return tm_fail(err, -ENAMETOOLONG, "%s: the path is too long", p->output);
  return rc < 0 ? rc : tm_file_write(path, s->body, s->len, 0640, err);
}

/* Of what goes by a mapping, its requests are what leaves. */
static int show_mapped(const struct tm_conf_target *target, const struct shown *s,
                       struct tm_error *err)
{
  printf("# %s for %s: %s by %s, key %s\n", s->device, s->target, s->kind, target->mapping, s->key);
  int rc = mapping_preview(target, s->body, s->len, err);
  if (rc == -EBADMSG) {
    printf("# it would be refused: %s\n", err->text);
    *err = (struct tm_error){0};
    return 0;
  }
  return rc;
}

/* Where the requests depend on what the server has already: they are made, and not sent. */
static int show_asked(struct preview *p, const struct tm_conf_target *target, const struct shown *s,
                      struct tm_error *err)
{
  char hash[TM_SHA256_HEX];
  const struct target_item item = {.key = s->key,
                                   .kind = s->kind,
                                   .device = s->device,
                                   .sha256 = tm_sha256_hex(hash, s->body, s->len),
                                   .body = s->body,
                                   .body_len = s->len};
  int rc = 0;
  printf("# %s for %s: %s, key %s\n", s->device, s->target, s->kind, s->key);
  if (p->state == NULL) {
    p->ops = target_ops_of(target);
    rc = p->ops->open(&p->state, target, err);
  }
  if (rc == 0)
    rc = p->ops->preview(p->state, &item, err);
  if (rc == -EBADMSG) {
    printf("# it would be refused: %s\n", err->text);
    *err = (struct tm_error){0};
    return 0;
  }
  return rc;
}

static int show(struct preview *p, const struct shown *s, struct tm_error *err)
{
  char hash[TM_SHA256_HEX];
  const struct tm_conf_target *target = tm_conf_target(p->order->conf, s->target, NULL);
  if (target != NULL && target->mapping != NULL)
    return show_mapped(target, s, err);
  if (target != NULL && target->type == TM_TARGET_TRYTON)
    return show_asked(p, target, s, err);
  printf("# %s for %s: %s, %zu bytes, sha256 %s, key %s\n", s->device, s->target, s->kind, s->len,
         tm_sha256_hex(hash, s->body, s->len), s->key);
  fwrite(s->body, 1, s->len, stdout);
  putchar('\n');
  return p->output != NULL ? write_copy(p, s, err) : 0;
}

/* --- what waits already --------------------------------------------------------------------- */

static int show_waiting(struct preview *p, const struct outlet *o, struct tm_error *err)
{
  struct spool_list list;
  int rc = spool_scan(&o->spool, SPOOL_NEW, &list, NULL, err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; rc == 0 && i < list.len; i++) {
    struct spool_item item;
    rc = spool_read(&o->spool, SPOOL_NEW, &list.entries[i], &item, err);
    if (rc == -ENOENT) { /* sent meanwhile */
      rc = 0;
      continue;
    }
    if (rc < 0)
      break;
    struct shown s = {tm_json_get_string(item.head, "device"),
                      o->target->name,
                      tm_json_get_string(item.head, "type"),
                      list.entries[i].key,
                      item.body,
                      item.body_len};
    rc = show(p, &s, err);
    spool_item_release(&item);
  }
  spool_list_release(&list);
  return rc;
}

/* --- what would be added -------------------------------------------------------------------- */

static int show_envelope(struct preview *p, const struct outlet *o, const struct document *d,
                         const struct envelope *e, const char *kind, struct tm_error *err)
{
  if (e->body.len == 0 || json_object_get(o->keys, e->key) != NULL)
    return 0;
  struct shown s = {d->device, o->target->name, kind, e->key, e->body.ptr, e->body.len};
  return show(p, &s, err);
}

static int show_made(struct preview *p, const struct outlet *o, const struct document *d,
                     const json_t *left_out, struct tm_error *err)
{
  int rc = 0;
  const char *known = outlet_known_key(o, d->device, d->source);
  if (d->summary.body.len == 0)
    printf("# %s for %s: nothing would leave\n", d->device, o->target->name);
  else if (known != NULL)
    printf("# %s for %s: nothing new: %s, key %s\n", d->device, o->target->name,
           json_string_value(json_object_get(o->keys, known)), known);
  else
    rc = show_envelope(p, o, d, &d->summary, "summary", err);
  size_t i;
  json_t *line;
  json_array_foreach(left_out, i, line)
  {
    printf("# not sent: %s\n", json_string_value(line));
  }
  if (rc == 0 && known == NULL)
    rc = show_envelope(p, o, d, &d->history, "history", err);
  return rc;
}

static int preview_summary(void *arg, const json_t *summary, const char *where,
                           struct tm_error *err)
{
  struct preview *p = arg;
  int rc = 0;
  (void)where;
  for (size_t i = 0; rc == 0 && i < p->n; i++) {
    const struct outlet *o = &p->outlets[i];
    struct document d;
    struct document_order order = {.target = o->target,
                                   .summary = summary,
                                   .acknowledged = o->acknowledged,
                                   .left_out = json_array()};
    rc = document_make(&d, &p->maker, &order, err);
    if (rc == 0) {
      rc = show_made(p, o, &d, order.left_out, err);
      document_release(&d);
    }
    json_decref(order.left_out);
  }
  return rc;
}

/* --- all ------------------------------------------------------------------------------------- */

static int open_preview(struct preview *p, struct tm_error *err)
{
  const struct tm_conf *conf = p->order->conf;
  int rc = document_maker_init(&p->maker, conf, err);
  p->outlets = calloc(conf->targets_len + 1, sizeof(*p->outlets));
  if (p->outlets == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  for (size_t i = 0; rc == 0 && i < conf->targets_len; i++) {
    const struct tm_conf_target *t = &conf->targets[i];
    bool named = p->order->target != NULL && strcmp(p->order->target, t->name) == 0;
    if (!named && (p->order->target != NULL || t->type == TM_TARGET_TRYTON))
      continue; /* no server is asked unless it is asked for */
    struct outlet *o = &p->outlets[p->n++];
    rc = outlet_open(o, conf, t, err);
    if (rc == 0)
      rc = outlet_look(o, conf, err);
    if (rc == 0)
      rc = show_waiting(p, o, err);
  }
  return rc;
}

int preview_run(const struct queue_order *order, const char *output)
{
  struct preview p = {.order = order, .output = output};
  struct tm_error err = {0};
  struct input_counts counts = {0};
  int rc = open_preview(&p, &err);
  int status = tm_exit_status(rc);
  if (rc < 0) {
    tm_log_error("%s", err.text);
  } else {
    input_read(order->conf, order->files, preview_summary, &p, &counts);
    status = input_status(&counts);
  }
  for (size_t i = 0; i < p.n; i++)
    outlet_close(&p.outlets[i]);
  if (p.state != NULL)
    p.ops->close(p.state);
  free(p.outlets);
  document_maker_release(&p.maker);
  return status;
}
