/* SPDX-License-Identifier: MIT */
#include "exporters/document.h"

#include "common/json.h"
#include "exporters/filter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NO_ID "0000000000000000000000000000000000000000000000000000000000000000"

int document_maker_init(struct document_maker *m, const struct tm_conf *conf, struct tm_error *err)
{
  *m = (struct document_maker){.conf = conf};
  int rc = schema_load(&m->summary, SCHEMA_SUMMARY, err);
  if (rc == 0)
    rc = schema_load(&m->history, SCHEMA_HISTORY, err);
  if (rc == 0)
    rc = consent_load(&m->consent, conf->state_dir, err);
  if (rc == 0)
    rc = consent_pseudonym_key(&m->pseudonym_key, conf->state_dir, err);
  if (rc < 0)
    document_maker_release(m);
  return rc;
}

void document_maker_release(struct document_maker *m)
{
  schema_release(&m->summary);
  schema_release(&m->history);
  consent_release(&m->consent);
  tm_secret_release(&m->pseudonym_key);
}

/* --- whose it is ---------------------------------------------------------------------------- */

struct origin {
  const char *host, *device;
  const char *customer, *site; /* NULL but at a vendor */
};

static int read_origin(struct origin *o, const struct tm_conf *conf, const json_t *summary,
                       struct tm_error *err)
{
  const json_t *customer = json_object_get(summary, "customer");
  o->host = tm_json_get_string(customer, "host");
  o->device = tm_json_get_string(json_object_get(summary, "product"), "device");
  if (o->host == NULL || o->device == NULL)
    return tm_fail(err, -EBADMSG, "%s: missing",
                   o->host == NULL ? "customer.host" : "product.device");
  const char *id = tm_json_get_string(customer, "id");
  const char *site = tm_json_get_string(customer, "site");
  if (conf->role == TM_ROLE_VENDOR) {
    if (id == NULL || site == NULL)
      return tm_fail(err, -EBADMSG, "%s/%s: customer.%s: missing", o->host, o->device,
                     id == NULL ? "id" : "site");
    o->customer = id;
    o->site = site;
    return 0;
  }
  /* What belongs to somebody else is not ours to send, whatever our own customer agreed to. */
  if (id != NULL && strcmp(id, conf->customer_id) != 0)
    return tm_fail(err, -EBADMSG, "%s/%s: customer.id: '%s' is not this site's customer", o->host,
                   o->device, id);
  if (site != NULL && strcmp(site, conf->site) != 0)
    return tm_fail(err, -EBADMSG, "%s/%s: customer.site: '%s' is not this site", o->host, o->device,
                   site);
  return 0;
}

/* A vendor's exporter obeys the consent that the summary carries. */
static unsigned purposes_of(const struct document_maker *m, const json_t *summary,
                            const struct origin *o)
{
  if (m->conf->role == TM_ROLE_SITE)
    return consent_purposes(&m->consent, o->host, o->device);
  unsigned on = 0;
  const char *name;
  json_t *value;
  json_object_foreach(json_object_get(summary, "consent"), name, value)
  {
    on |= tm_purpose_of(name);
  }
  return on;
}

/* --- the source, as this site would tell it ------------------------------------------------- */

static json_t *rebuild_frame(const struct document_maker *m, const struct document_order *order,
                             const struct origin *o, unsigned purposes, const char *schema)
{
  json_t *doc = json_copy((json_t *)order->summary);
  json_object_set_new(doc, "schema", json_string(schema));
  json_object_set_new(doc, "id", json_string(NO_ID));
  if (m->conf->role == TM_ROLE_SITE) {
    json_t *customer = json_copy(json_object_get(order->summary, "customer"));
    json_object_set_new(customer, "id", json_string(m->conf->customer_id));
    json_object_set_new(customer, "site", json_string(m->conf->site));
    json_object_set_new(customer, "name", tm_json_text(m->conf->customer_name));
    json_object_set_new(doc, "customer", customer);
    json_object_set_new(doc, "consent",
                        consent_statement(&m->consent, purposes, o->host, o->device));
  }
  return doc;
}

/* An ERP or CRM keeps no days of its own: each summary is whole there. */
static bool is_whole(const struct tm_conf_target *target)
{
  return target->type == TM_TARGET_TRYTON || target->mapping != NULL;
}

static const char *day_of(const json_t *history, size_t i)
{
  const char *date = tm_json_get_string(json_array_get(history, i), "date");
  return date != NULL ? date : "";
}

/* The days from the last acknowledged one on, 35 at most: that one was not over yet when it was
 * sent. Dates compare as text. */
static json_t *recent_days(const json_t *history, const char *acknowledged)
{
  size_t n = json_array_size(history);
  size_t first = n > DOCUMENT_HISTORY_DAYS ? n - DOCUMENT_HISTORY_DAYS : 0;
  while (first < n && acknowledged != NULL && strcmp(day_of(history, first), acknowledged) < 0)
    first++;
  json_t *out = json_array();
  for (; first < n; first++)
    json_array_append(out, json_array_get(history, first));
  return out;
}

/* --- making --------------------------------------------------------------------------------- */

static void init_filter(struct filter *f, struct document_maker *m, unsigned purposes,
                        const struct origin *o, json_t *left_out)
{
  *f = (struct filter){.purposes = purposes,
                       .key = &m->pseudonym_key,
                       .names_clear = m->conf->names_clear,
                       .left_out = left_out};
  for (unsigned i = 0; i < TM_PURPOSES && m->conf->role == TM_ROLE_SITE; i++) {
    if (purposes & 1u << i)
      f->agreed[i] = consent_fields(&m->consent, (enum tm_purpose)(1u << i), o->host, o->device);
  }
}

static void release_filter(struct filter *f)
{
  for (unsigned i = 0; i < TM_PURPOSES; i++)
    json_decref((json_t *)f->agreed[i]);
}

static int make_summary(struct document *out, struct document_maker *m,
                        const struct document_order *order, const struct origin *o,
                        const char *acknowledged, struct tm_error *err)
{
  struct filter f;
  json_t *kept = NULL;
  json_t *doc = rebuild_frame(m, order, o, out->purposes, "tidemark.summary/1");
  init_filter(&f, m, out->purposes, o, order->left_out);
  int rc = filter_apply(&f, &m->summary, doc, &kept, err);
  if (rc < 0 || kept == NULL)
    goto out;
  envelope_digest(out->source, kept);
  const json_t *days = json_object_get(kept, "history");
  if (json_array_size(days) > 0)
    snprintf(out->history_to, sizeof(out->history_to), "%s",
             day_of(days, json_array_size(days) - 1));
  if (days != NULL && !is_whole(order->target))
    json_object_set_new(kept, "history", recent_days(days, acknowledged));
  rc = envelope_seal(&out->summary, kept, "summary", order->target->name, err);
out:
  release_filter(&f);
  json_decref(kept);
  json_decref(doc);
  return rc;
}

/* Its frame is the summary's; its schema lets the rest of the summary pass by. */
static int make_history(struct document *out, struct document_maker *m,
                        const struct document_order *order, const struct origin *o,
                        struct tm_error *err)
{
  struct filter f;
  json_t *kept = NULL;
  json_t *doc = rebuild_frame(m, order, o, out->purposes, "tidemark.history/1");
  init_filter(&f, m, out->purposes, o, NULL);
  int rc = filter_apply(&f, &m->history, doc, &kept, err);
  if (rc == 0 && json_array_size(json_object_get(kept, "history")) > 0)
    rc = envelope_seal(&out->history, kept, "history", order->target->name, err);
  release_filter(&f);
  json_decref(kept);
  json_decref(doc);
  return rc;
}

int document_make(struct document *out, struct document_maker *m,
                  const struct document_order *order, struct tm_error *err)
{
  struct origin o = {0};
  *out = (struct document){0};
  const char *schema = tm_json_get_string(order->summary, "schema");
  if (schema == NULL || strcmp(schema, "tidemark.summary/1") != 0)
    return tm_fail(err, -EBADMSG, "schema: tidemark.summary/1 is wanted");
  int rc = read_origin(&o, m->conf, order->summary, err);
  if (rc < 0)
    return rc;
  bool vendor = o.customer != NULL; /* two customers may well have the same names */
  int n = snprintf(out->device, sizeof(out->device), "%s%s%s%s%s/%s", vendor ? o.customer : "",
                   vendor ? "/" : "", vendor ? o.site : "", vendor ? "/" : "", o.host, o.device);
  if (n < 0 || n >= (int)sizeof(out->device))
    return tm_fail(err, -EBADMSG, "%.64s: the device's name is too long", o.device);
  out->purposes = purposes_of(m, order->summary, &o) & order->target->purposes;
  if (out->purposes == 0)
    return 0;
  const char *acknowledged =
      tm_json_get_string(json_object_get(order->acknowledged, out->device), "history_to");
  rc = make_summary(out, m, order, &o, acknowledged, err);
  if (rc == 0 && out->summary.body.len > 0 && acknowledged == NULL && !is_whole(order->target))
    rc = make_history(out, m, order, &o, err);
  if (rc < 0) {
    tm_fail_prefix(err, out->device);
    document_release(out);
  }
  return rc;
}

void document_release(struct document *d)
{
  envelope_release(&d->summary);
  envelope_release(&d->history);
}
