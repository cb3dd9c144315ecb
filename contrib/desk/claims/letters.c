/* SPDX-License-Identifier: MIT */
#include "contrib/desk/claims/letters.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/mail.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/intake/alarm.h"
#include "contrib/desk/mail/mail.h"
#include "contrib/desk/people/responsible.h"

#include <errno.h>
#include <stdio.h>

struct letter {
  const struct desk *desk;
  int64_t claim, now;
  const char *what, *page, *customer;
  json_t *model;
  int sent;
};

static int send_to(struct db *db, struct letter *l, const char *staff, const char *name,
                   const char *email, const char *instead_of, struct tm_error *err)
{
  char key[160];
  snprintf(key, sizeof(key), "claim/%lld/%s/%.64s", (long long)l->claim, l->what, staff);
  if (!tm_mail_is_address(email))
    return 0;
  json_object_set_new(l->model, "to", json_string(name));
  if (instead_of != NULL && instead_of[0] != '\0')
    json_object_set_new(l->model, "instead_of", json_string(instead_of));
  const struct mail mail = {.key = key,
                            .customer = l->customer,
                            .to = email,
                            .to_name = name,
                            .page = l->page,
                            .model = l->model};
  int rc = mail_put(db, l->desk, &mail, l->now, err);
  if (rc == 0)
    l->sent++;
  return rc;
}

static int send_to_team(struct db *db, struct letter *l, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc = db_prepare(db,
                      "SELECT staff, name, email FROM staff WHERE role = 'service'"
                      " AND email IS NOT NULL AND (left_on IS NULL OR left_on > ?1)"
                      " ORDER BY staff LIMIT 50",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_int(stmt, 1, tm_date_days(l->now));
  json_t *rows = db_rows(stmt, err), *row;
  size_t i;
  rc = rows != NULL ? 0 : -EIO;
  json_array_foreach(rows, i, row) if (rc == 0) rc =
      send_to(db, l, tm_json_get_string(row, "staff"), tm_json_get_string(row, "name"),
              tm_json_get_string(row, "email"), NULL, err);
  json_decref(rows);
  return rc;
}

static int say_nobody(struct db *db, const struct letter *l, struct tm_error *err)
{
  char subject[32], text[200];
  snprintf(subject, sizeof(subject), "K-%lld", (long long)l->claim);
  snprintf(text, sizeof(text),
           "nobody of service has a mail address: claim %s is in the list of claims alone",
           subject);
  return alarm_raise(db, "claim-nobody", subject, l->customer, NULL, text, l->now, err);
}

int letters_claim(struct db *db, const struct desk *desk, int64_t claim, const char *what,
                  const char *page, const json_t *more, int64_t now, struct tm_error *err)
{
  struct letter l = {.desk = desk, .claim = claim, .now = now, .what = what, .page = page};
  struct responsible who = {0};
  json_t *row = NULL;
  /* As for the other letters: none is kept for a mail server that may come one day. */
  if (desk->conf->mail.url == NULL)
    return 0;
  int rc = claim_read(db, claim, &row, err);
  if (rc < 0)
    return rc;
  const char *owner = tm_json_get_string(row, "owner"), *url = desk->conf->public_url;
  l.customer = tm_json_get_string(row, "customer_id");
  l.model = json_pack("{s:O, s:o}", "claim", row, "link",
                      json_sprintf("%s/claims/K-%lld", url != NULL ? url : "", (long long)claim));
  if (more != NULL)
    json_object_update(l.model, (json_t *)more);
  if (owner != NULL)
    rc = responsible_for(db, owner, tm_date_days(now), &who, err);
  if (rc == 1)
    rc = send_to(db, &l, who.staff, who.name, who.email, who.instead_of, err);
  if (rc == 0 && l.sent == 0)
    rc = send_to_team(db, &l, err);
  if (rc == 0 && l.sent == 0)
    rc = say_nobody(db, &l, err);
  json_decref(l.model);
  json_decref(row);
  return rc;
}
