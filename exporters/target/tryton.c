/* SPDX-License-Identifier: MIT */
/* Tryton, role vendor alone: the recommendations of a summary become leads of its CRM. */
#include "exporters/target.h"

#include "common/json.h"
#include "common/log.h"
#include "exporters/chart.h"
#include "exporters/state.h"
#include "exporters/tryton/sales.h"
#include "exporters/tryton/writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct erp {
  struct writer writer;
  struct sales sales;
  json_t *known;
  bool only_shown;
};

static int erp_open(void **state, const struct tm_conf_target *conf, struct tm_error *err)
{
  struct erp *e = calloc(1, sizeof(*e));
  if (e == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = writer_open(&e->writer, conf, err);
  if (rc < 0) {
    free(e);
    return rc;
  }
  e->known = state_read(conf->state_dir, e->writer.note, err);
  if (e->known == NULL) {
    rc = err->code;
    writer_close(&e->writer);
    free(e);
    return rc;
  }
  sales_init(&e->sales, e->writer.rpc, e->known, conf->create_parties);
  *state = e;
  return 0;
}

static int save(struct erp *e, struct tm_error *err)
{
  if (!e->sales.dirty || e->only_shown)
    return 0;
  int rc = state_write(e->writer.target->state_dir, e->writer.note, e->known, err);
  e->sales.dirty = rc < 0;
  return rc;
}

static void erp_close(void *state)
{
  struct erp *e = state;
  struct tm_error err = {0};
  if (save(e, &err) < 0)
    tm_log_error("%s: %s", e->writer.target->name, err.text);
  sales_release(&e->sales);
  json_decref(e->known);
  writer_close(&e->writer);
  free(e);
}

/* --- one item ------------------------------------------------------------------------------- */

static enum target_health health_of(int rc)
{
  switch (rc) {
  case 0:
  case -EBADMSG: /* the record is at fault, or somebody else was faster */
  case -ESTALE:
  case -EAGAIN:
    return TARGET_UP;
  case -EACCES:
    return TARGET_STOP;
  default:
    return TARGET_DOWN;
  }
}

/* The gravest trouble is told; a refusal is the item's own, and its other needs are offered. */
struct course {
  int rc;
  struct tm_error refusal; /* the first; code 0: none */
};

/* Those that go along with each recommendation of an item. Without a chart it is offered too. */
static size_t make_files(struct sales_file files[2], struct tm_buf *png, const struct erp *e,
                         const struct target_item *item)
{
  struct tm_error err = {0};
  size_t n = 0;
  files[n++] = (struct sales_file){"summary.json", item->body, item->body_len};
  int rc = chart_draw(png, item->body, item->body_len, &err);
  if (rc == 0)
    files[n++] = (struct sales_file){"evidence.png", png->ptr, png->len};
  else if (rc != -ENODATA)
    tm_log_warning("%s: %.12s (%s): offered without a chart: %s", e->writer.target->name, item->key,
                   item->device, err.text);
  return n;
}

static void offer_all(struct erp *e, const struct target_item *item, const json_t *summary,
                      struct course *course, struct tm_error *err)
{
  struct sales_file files[2];
  struct tm_buf png = TM_BUF_INIT(CHART_MAX);
  json_t *warnings = json_array();
  size_t i, n = 0;
  json_t *one, *text;
  if (json_array_size(json_object_get(summary, "recommendations")) > 0)
    n = make_files(files, &png, e, item);
  json_array_foreach(json_object_get(summary, "recommendations"), i, one)
  {
    json_array_clear(warnings);
    course->rc = sales_offer(&e->sales, summary, one, files, n, warnings, err);
    size_t j;
    json_array_foreach(warnings, j, text)
    {
      tm_log_warning("%s: %.12s (%s): %s", e->writer.target->name, item->key, item->device,
                     json_string_value(text));
    }
    if (course->rc == -EBADMSG && course->refusal.code == 0)
      course->refusal = *err;
    if (course->rc < 0 && course->rc != -EBADMSG)
      break;
  }
  if (course->rc == 0 || course->rc == -EBADMSG) {
    course->rc = sales_withdraw(&e->sales, summary, err);
    if (course->rc == -EBADMSG && course->refusal.code == 0)
      course->refusal = *err;
  }
  json_decref(warnings);
  tm_buf_release(&png);
}

static void send_item(struct erp *e, struct target_item *item, struct target_outcome *out)
{
  struct tm_error err = {0};
  struct course course = {0};
  json_t *event = tm_json_parse(item->body, item->body_len, item->key, &err);
  const json_t *data = json_object_get(event, "data");
  const char *schema = tm_json_get_string(data, "schema");
  item->result = TARGET_ACCEPTED;
  item->reason[0] = '\0';
  if (schema == NULL || strcmp(schema, "tidemark.summary/1") != 0)
    course.rc = tm_fail(&course.refusal, -EBADMSG, "Tryton has no place for %s",
                        schema != NULL ? schema : "what is no document");
  else
    offer_all(e, item, data, &course, &err);
  json_decref(event);
  if (course.rc < 0 && course.rc != -EBADMSG) {
    out->error = err;
    out->retry_after_s =
        health_of(course.rc) == TARGET_DOWN ? tryton_rpc_retry_after(e->writer.rpc) : -1;
    target_fail_all(item, 1, out, health_of(course.rc));
  } else if (course.refusal.code != 0) {
    item->result = TARGET_REFUSED;
    snprintf(item->reason, sizeof(item->reason), "%.*s", (int)sizeof(item->reason) - 1,
             course.refusal.text);
  } else {
    memcpy(item->receipt, item->sha256, TM_SHA256_HEX);
  }
}

static void erp_send(void *state, struct target_item *items, size_t n, int64_t now,
                     struct target_outcome *out)
{
  struct erp *e = state;
  struct tm_error err = {0};
  (void)now;
  *out = (struct target_outcome){.retry_after_s = -1};
  for (size_t i = 0; i < n; i++) {
    send_item(e, &items[i], out);
    if (out->health != TARGET_UP) {
      target_fail_all(items + i, n - i, out, out->health);
      break;
    }
  }
  /* Before the items are put away: what is known must not be older than they are. */
  if (save(e, &err) < 0) {
    out->error = err;
    out->ours = true;
    target_fail_all(items, n, out, out->health);
  }
}

static void erp_poll(void *state, int64_t now, struct target_outcome *out)
{
  struct erp *e = state;
  struct tm_error err = {0};
  (void)now;
  *out = (struct target_outcome){.retry_after_s = -1};
  int rc = sales_read_back(&e->sales, &out->error);
  if (rc < 0)
    out->health = rc == -EBADMSG ? TARGET_DOWN : health_of(rc);
  if (save(e, &err) < 0 && rc == 0) {
    out->error = err;
    out->ours = true;
  }
}

static int erp_preview(void *state, const struct target_item *item, struct tm_error *err)
{
  struct erp *e = state;
  struct target_item copy = *item;
  struct target_outcome out = {.retry_after_s = -1};
  e->only_shown = true;
  tryton_rpc_only_show(e->writer.rpc);
  send_item(e, &copy, &out);
  if (copy.result == TARGET_REFUSED)
    return tm_fail(err, -EBADMSG, "%s", copy.reason);
  *err = out.error;
  return out.error.code;
}

const struct target_ops target_tryton_ops = {
    .open = erp_open,
    .send = erp_send,
    .poll = erp_poll,
    .preview = erp_preview,
    .close = erp_close,
};
