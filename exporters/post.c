/* SPDX-License-Identifier: MIT */
#include "exporters/post.h"

#include "common/json_memory.h"
#include "exporters/envelope.h"
#include "exporters/outlet.h"
#include "exporters/tell.h"

#include <errno.h>
#include <string.h>

static json_t *make_head(const struct post *post)
{
  json_t *purposes = json_array();
  for (unsigned i = 0; i < TM_PURPOSES; i++) {
    if (post->purposes & 1u << i)
      json_array_append_new(purposes, json_string(tm_purpose_name((enum tm_purpose)(1u << i))));
  }
  return json_pack("{s:s,s:s,s:s,s:o}", "key", "", "type", post->kind, "device", post->device,
                   "purposes", purposes);
}

static int add(struct outlet *o, const struct post *post, const struct envelope *e,
               struct tm_error *err)
{
  const json_t *where = json_object_get(o->keys, e->key);
  if (where != NULL)
    return tell_line(err, "known %s %s %s", e->key, o->target->name, json_string_value(where));
  json_t *head = make_head(post);
  int rc = tm_json_starved() ? tm_fail(err, -ENOMEM, "%s: out of memory", post->device)
           : head == NULL    ? tm_fail(err, -EBADMSG, "%s: not valid UTF-8", post->device)
                             : spool_add(&o->spool, SPOOL_ANSWER, e->key, head, e->body.ptr,
                                         e->body.len, post->now_ms / 1000, post->now_ms, err);
  json_decref(head);
  return rc < 0 ? rc : tell_line(err, "queued %s %s", e->key, o->target->name);
}

int post_document(const struct tm_conf *conf, const struct tm_conf_target *target,
                  const struct post *post, char key[SPOOL_KEY_SIZE], struct tm_error *err)
{
  struct envelope e;
  struct outlet o;
  int rc = envelope_seal(&e, post->document, post->kind, target->name, err);
  if (rc < 0)
    return rc;
  rc = outlet_open(&o, conf, target, err);
  if (rc == 0) {
    rc = spool_lock(&o.spool, "fill", true, err);
    if (rc == 0)
      rc = outlet_look(&o, conf, err);
    if (rc == 0)
      rc = add(&o, post, &e, err);
    outlet_close(&o);
  }
  if (rc == 0)
    memcpy(key, e.key, SPOOL_KEY_SIZE);
  envelope_release(&e);
  return rc;
}
