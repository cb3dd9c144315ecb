/* SPDX-License-Identifier: MIT */
#include "exporters/inquire.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "exporters/factory.h"
#include "exporters/input.h"
#include "exporters/inquiry.h"
#include "exporters/state.h"
#include "exporters/tell.h"
#include "exporters/tryton/reserve.h"
#include "exporters/tryton/stock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { RESERVED_DAYS = 14 };

/* One call: the store is ours while it lasts, the ERP from the first question on. */
struct inquirer {
  const struct inquire_order *order;
  const char *state_dir;
  struct factory factory;
  struct stock stock;
  bool is_loaded;  /* stock */
  json_t *offered; /* key -> what became of it */
  int lock;
  int status; /* EX_UNAVAILABLE once the ERP did not answer */
};

static int inquirer_open(struct inquirer *d, const struct inquire_order *order, bool with_erp,
                         struct tm_error *err)
{
  *d = (struct inquirer){.order = order, .state_dir = order->conf->state_dir, .lock = -1};
  d->factory.writer.lock = -1;
  int rc = inquiry_lock(d->state_dir, err);
  if (rc < 0)
    return rc;
  d->lock = rc;
  return with_erp ? factory_open(&d->factory, order->conf, order->target, err) : 0;
}

static void inquirer_close(struct inquirer *d)
{
  stock_release(&d->stock);
  factory_close(&d->factory);
  json_decref(d->offered);
  if (d->lock >= 0)
    close(d->lock);
}

/* Warehouses and transfers, once. */
static int load_stock(struct inquirer *d, struct tm_error *err)
{
  if (d->is_loaded)
    return 0;
  stock_release(&d->stock);
  int rc = stock_load(&d->stock, d->factory.writer.rpc, d->factory.target->factory, err);
  d->is_loaded = rc == 0;
  return rc;
}

static int fail(int rc, const struct tm_error *err)
{
  tm_log_error("%s", err->text);
  return factory_status(rc);
}

/* --- asking --------------------------------------------------------------------------------- */

static int answer_line(struct inquirer *d, const json_t *asked, size_t shop, int64_t today,
                       json_t *lines, int64_t *latest, struct tm_error *err)
{
  struct handover_goods g;
  struct handover h;
  const char *sku = tm_json_get_string(asked, "sku");
  uint64_t pieces = (uint64_t)json_integer_value(json_object_get(asked, "quantity"));
  int rc = stock_goods(&d->stock, sku, &g, err);
  if (rc < 0)
    return rc;
  handover_find(&h, &g, shop, pieces);
  if (h.days == HANDOVER_NEVER)
    return tm_fail(
        err, -EBADMSG,
        "%s: not in stock, and no lead time says when it would be: nobody can promise it", sku);
  if (h.days > *latest)
    *latest = h.days;
  json_array_append_new(lines, handover_line(sku, pieces, &g, shop, &h, today));
  return 0;
}

static int make_answer(struct inquirer *d, const json_t *inquiry, json_t **answer,
                       struct tm_error *err)
{
  char date[TM_DATE_SIZE];
  int64_t today = tm_date_days(d->order->now), latest = 0;
  size_t shop = 0, i;
  json_t *line, *lines = json_array();
  int rc = load_stock(d, err);
  if (rc == 0)
    rc = stock_shop(&d->stock, tm_json_get_string(inquiry, "shop"), &shop, err);
  json_array_foreach(json_object_get(inquiry, "lines"), i, line)
  {
    if (rc < 0)
      break;
    rc = answer_line(d, line, shop, today, lines, &latest, err);
  }
  if (rc == 0)
    *answer = json_pack("{s:s,s:s,s:o,s:s,s:O,s:s}", "schema", "tidemark.answer/1", "inquiry",
                        tm_json_get_string(inquiry, "id"), "answered_at",
                        tm_json_time(d->order->now), "by", d->factory.target->name, "lines", lines,
                        "complete_on", tm_date_format_days(date, today + latest));
  json_decref(lines);
  return rc;
}

static int print_answer(const json_t *record, struct tm_error *err)
{
  return tell_json(json_object_get(record, "answer"), err);
}

/* Asks for one that is stored, and stores what comes of it. A refusal is the inquiry's; a silent
 * ERP leaves it open, and is not asked again in this call. */
static int ask_one(struct inquirer *d, json_t *record, struct tm_error *err)
{
  json_t *answer = NULL;
  if (d->status != EX_OK)
    return 0;
  int rc = make_answer(d, json_object_get(record, "inquiry"), &answer, err);
  if (rc == 0) {
    json_object_set_new(record, "answer", answer);
    json_object_del(record, "refused");
    rc = inquiry_write(d->state_dir, record, err);
    return rc == 0 ? print_answer(record, err) : rc;
  }
  if (rc == -EBADMSG) {
    json_object_set_new(record, "refused", json_string(err->text));
    struct tm_error write_err;
    int written = inquiry_write(d->state_dir, record, &write_err);
    if (written < 0)
      *err = write_err;
    else
      tm_fail_prefix(err, inquiry_id(record));
    return written < 0 ? written : rc;
  }
  tm_log_error("%s: stays open: %s", inquiry_id(record), err->text);
  d->status = factory_status(rc);
  return 0;
}

/* An inquiry from a file: stored before anybody is asked, so that it cannot be lost. */
static int take_inquiry(void *arg, const json_t *inquiry, const char *where, struct tm_error *err)
{
  struct inquirer *d = arg;
  (void)where;
  int rc = inquiry_check(inquiry, err);
  if (rc < 0)
    return rc;
  const char *id = tm_json_get_string(inquiry, "id");
  json_t *record = NULL;
  rc = inquiry_read(d->state_dir, id, &record, err);
  if (rc < 0)
    return rc;
  if (record != NULL && !json_equal(json_object_get(record, "inquiry"), inquiry)) {
    rc = tm_fail(err, -EBADMSG, "%s: another inquiry has this id", id);
  } else if (json_object_get(record, "answer") != NULL) {
    rc = print_answer(record, err);
  } else {
    if (record == NULL) {
      record = json_pack("{s:O}", "inquiry", inquiry);
      rc = inquiry_write(d->state_dir, record, err);
    }
    if (rc == 0)
      rc = ask_one(d, record, err);
  }
  json_decref(record);
  return rc;
}

/* --- housekeeping --------------------------------------------------------------------------- */

static int release(struct inquirer *d, json_t *record, const char *why, struct tm_error *err)
{
  char reference[128];
  size_t n = 0;
  snprintf(reference, sizeof(reference), "tidemark:inquiry:%s", inquiry_id(record));
  int rc = reserve_release(d->factory.writer.rpc, reference, &n, err);
  if (rc < 0)
    return rc;
  json_object_del(record, "reservation");
  json_object_del(json_object_get(record, "answer"), "reserved_until");
  json_object_set_new(record, "closed", json_string(why));
  rc = inquiry_write(d->state_dir, record, err);
  return rc < 0 ? rc : tell_line(err, "released %s: %s", inquiry_id(record), why);
}

/* Why a reservation should end, or NULL. A sale that was won reserves by its own shipment. */
static const char *end_of(struct inquirer *d, const json_t *record)
{
  char today[TM_DATE_SIZE];
  const char *until = tm_json_get_string(json_object_get(record, "reservation"), "until");
  const char *key = tm_json_get_string(json_object_get(record, "inquiry"), "recommendation");
  const char *state =
      key != NULL ? tm_json_get_string(json_object_get(d->offered, key), "state") : NULL;
  static const char *const ends[] = {"won", "lost", "cancelled", "deleted", NULL};
  for (size_t i = 0; state != NULL && ends[i] != NULL; i++) {
    if (strcmp(state, ends[i]) == 0)
      return ends[i];
  }
  tm_date_format_days(today, tm_date_days(d->order->now));
  return until != NULL && strcmp(until, today) < 0 ? "expired" : NULL;
}

static int keep_one(void *arg, json_t *record, struct tm_error *err)
{
  struct inquirer *d = arg;
  bool is_refused = json_object_get(record, "refused") != NULL; /* asked again by a person alone */
  if (json_object_get(record, "answer") == NULL) {
    int rc = is_refused ? 0 : ask_one(d, record, err);
    if (rc != -EBADMSG)
      return rc;
    tm_log_error("%s", err->text);
    d->status = d->status == EX_OK ? EX_DATAERR : d->status;
    return 0;
  }
  const char *why = json_object_get(record, "reservation") != NULL ? end_of(d, record) : NULL;
  if (why == NULL || d->status == EX_UNAVAILABLE)
    return 0;
  int rc = release(d, record, why, err);
  if (rc < 0) {
    tm_log_error("%s: stays reserved: %s", inquiry_id(record), err->text);
    d->status = factory_status(rc);
  }
  return 0;
}

static int keep_house(struct inquirer *d, struct tm_error *err)
{
  char name[160];
  snprintf(name, sizeof(name), "%s.opportunities", d->factory.target->name);
  json_t *note = state_read(d->state_dir, name, err);
  if (note == NULL)
    return err->code;
  d->offered = json_incref(json_object_get(note, "opportunities"));
  json_decref(note);
  return inquiry_each(d->state_dir, keep_one, d, err);
}

int inquire_ask(const struct inquire_order *order, char *const *files)
{
  struct inquirer d;
  struct tm_error err = {0};
  struct input_counts counts = {0};
  int rc = inquirer_open(&d, order, true, &err);
  if (rc == 0 && files[0] == NULL)
    rc = keep_house(&d, &err);
  else if (rc == 0)
    rc = input_read(order->conf, files, take_inquiry, &d, &counts);
  int status = d.status != EX_OK ? d.status : input_status(&counts);
  if (rc < 0 && rc != -ECANCELED)
    status = fail(rc, &err);
  inquirer_close(&d);
  return status;
}

/* --- answers from elsewhere ----------------------------------------------------------------- */

static int take_answer(void *arg, const json_t *answer, const char *where, struct tm_error *err)
{
  struct inquirer *d = arg;
  (void)where;
  int rc = inquiry_check_answer(answer, err);
  if (rc == 0)
    rc = inquiry_take_answer(d->state_dir, answer, err);
  if (rc < 0)
    return rc;
  const char *id = tm_json_get_string(answer, "inquiry");
  json_t *record = NULL;
  bool known = rc == 1;
  rc = inquiry_read(d->state_dir, id, &record, err);
  bool late = json_object_get(record, "late") != NULL;
  json_decref(record);
  if (rc < 0)
    return rc;
  return tell_line(err, "%s %s%s", known ? "known" : "answered", id,
                   !known && late ? ": late, it was closed before" : "");
}

int inquire_take(const struct inquire_order *order, const char *file)
{
  struct inquirer d;
  struct tm_error err = {0};
  struct input_counts counts = {0};
  char *files[] = {(char *)file, NULL};
  int rc = inquirer_open(&d, order, false, &err);
  if (rc == 0)
    rc = input_read(order->conf, files, take_answer, &d, &counts);
  int status = rc < 0 && rc != -ECANCELED ? fail(rc, &err) : input_status(&counts);
  inquirer_close(&d);
  return status;
}

/* --- reservation ---------------------------------------------------------------------------- */

static int reserve(struct inquirer *d, json_t *record, const char *until, struct tm_error *err)
{
  char reference[128], date[TM_DATE_SIZE];
  json_t *numbers = NULL, *answer = json_object_get(record, "answer");
  int64_t today = tm_date_days(d->order->now);
  snprintf(reference, sizeof(reference), "tidemark:inquiry:%s", inquiry_id(record));
  if (until == NULL)
    until = tm_date_format_days(date, today + RESERVED_DAYS);
  int rc = load_stock(d, err);
  if (rc == 0)
    rc = reserve_make(&d->stock, reference, json_object_get(answer, "lines"), today, &numbers, err);
  if (rc < 0)
    return rc;
  json_object_set_new(record, "reservation",
                      json_pack("{s:s,s:o}", "until", until, "shipments", numbers));
  json_object_set_new(answer, "reserved_until", json_string(until));
  json_object_del(record, "closed");
  return inquiry_write(d->state_dir, record, err);
}

/* The record of an id that was answered; told otherwise. */
static json_t *answered(const struct inquirer *d, const char *id, struct tm_error *err)
{
  json_t *record = NULL;
  int rc = inquiry_read(d->state_dir, id, &record, err);
  if (rc < 0 || json_object_get(record, "answer") != NULL)
    return record;
  if (record == NULL)
    tm_fail(err, -EBADMSG, "%s: no such inquiry", id);
  else
    tm_fail(err, -ENODATA, "%s: not answered yet", id);
  json_decref(record);
  return NULL;
}

int inquire_agree(const struct inquire_order *order, const char *id, const char *until)
{
  struct inquirer d;
  struct tm_error err = {0};
  int rc = inquirer_open(&d, order, true, &err);
  json_t *record = rc == 0 ? answered(&d, id, &err) : NULL;
  if (rc == 0 && record == NULL)
    rc = err.code;
  if (rc == 0 && json_object_get(record, "reservation") == NULL)
    rc = reserve(&d, record, until, &err);
  if (rc == 0)
    rc = tell_line(&err, "reserved %s until %s", id,
                   tm_json_get_string(json_object_get(record, "reservation"), "until"));
  int status = rc < 0 ? fail(rc, &err) : EX_OK;
  json_decref(record);
  inquirer_close(&d);
  return status;
}

int inquire_release(const struct inquire_order *order, const char *id)
{
  struct inquirer d;
  struct tm_error err = {0};
  int rc = inquirer_open(&d, order, true, &err);
  json_t *record = rc == 0 ? answered(&d, id, &err) : NULL;
  if (rc == 0 && record == NULL)
    rc = err.code;
  if (rc == 0)
    rc = release(&d, record, "lost", &err);
  int status = rc < 0 ? fail(rc, &err) : EX_OK;
  json_decref(record);
  inquirer_close(&d);
  return status;
}

/* --- looking -------------------------------------------------------------------------------- */

static const char *state_of(const json_t *record)
{
  if (json_object_get(record, "reservation") != NULL)
    return "reserved";
  if (json_object_get(record, "closed") != NULL)
    return "closed";
  if (json_object_get(record, "answer") != NULL)
    return "answered";
  return json_object_get(record, "refused") != NULL ? "refused" : "open";
}

/* One row for each line that was asked: what, where, and what was said. */
static void print_row(const json_t *record, size_t i)
{
  const json_t *inquiry = json_object_get(record, "inquiry");
  const json_t *asked = json_array_get(json_object_get(inquiry, "lines"), i);
  const json_t *said =
      json_array_get(json_object_get(json_object_get(record, "answer"), "lines"), i);
  const json_t *at = json_object_get(said, "at"), *sooner = json_object_get(said, "sooner");
  const char *refused = tm_json_get_string(record, "refused");
  printf("%-9s %-12s %.0f x %s for %s", state_of(record), inquiry_id(record),
         tm_json_get_number(asked, "quantity"), tm_json_get_string(asked, "sku"),
         tm_json_get_string(inquiry, "shop"));
  if (at != NULL)
    printf(": %s on %s", tm_json_get_string(at, "shop"), tm_json_get_string(at, "on"));
  if (sooner != NULL)
    printf("; sooner: %s on %s", tm_json_get_string(sooner, "shop"),
           tm_json_get_string(sooner, "on"));
  if (refused != NULL)
    printf(": %s", refused);
  putchar('\n');
}

static int list_one(void *arg, json_t *record, struct tm_error *err)
{
  const bool *as_json = arg;
  (void)err;
  if (*as_json) {
    json_object_set_new(record, "state", json_string(state_of(record)));
    json_dumpf(record, stdout, JSON_COMPACT);
    putchar('\n');
    return 0;
  }
  size_t n = json_array_size(json_object_get(json_object_get(record, "inquiry"), "lines"));
  for (size_t i = 0; i < n; i++)
    print_row(record, i);
  return 0;
}

int inquire_list(const struct inquire_order *order, bool as_json)
{
  struct tm_error err = {0};
  int rc = inquiry_each(order->conf->state_dir, list_one, &as_json, &err);
  return tm_log_status(rc, &err);
}
