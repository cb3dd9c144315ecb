/* SPDX-License-Identifier: MIT */
/* What is done with an answer: the customer agrees, the goods are kept, given back or picked up. */
#include "common/clock.h"
#include "contrib/desk/desk.h"
#include "contrib/desk/factory/clerk.h"
#include "contrib/desk/factory/hold.h"
#include "contrib/desk/factory/inquiry_look.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 200 };

struct acting {
  struct looking look;
  struct hold_agree agree;
  const char *how;
};

static int read_day(struct acting *a, const char *name, int64_t *day, struct tm_error *err)
{
  const char *text = request_field(a->look.r, name);
  int64_t t;
  *day = INT64_MIN;
  if (text == NULL || text[0] == '\0')
    return 0;
  a->look.field = name;
  if (strlen(text) != strlen("2026-11-20") || tm_time_parse(text, &t) != 0)
    return tm_fail(err, -EINVAL, "a day is written as 2026-11-20");
  a->look.field = NULL;
  *day = t / TM_DAY;
  return 0;
}

static int write_agree(struct db *db, void *arg, struct tm_error *err)
{
  struct acting *a = arg;
  return hold_make(db, &a->agree, &a->look.field, err);
}

static int write_end(struct db *db, void *arg, struct tm_error *err)
{
  struct acting *a = arg;
  return hold_end(db, a->agree.inquiry, a->how, a->agree.by, a->agree.own, a->agree.now, err);
}

/* The page again, with what is wrong beside its field; where the goods are gone, with that. */
static int refuse(struct acting *a, int rc, struct response *to, struct tm_error *err)
{
  const struct request *r = a->look.r;
  struct tm_error again = {0};
  if (r->wants_json || (rc != -EINVAL && rc != -EEXIST))
    return rc == -EINVAL ? respond_error(r, to, 422, a->look.field, err->text) : rc;
  if (rc == -EEXIST)
    a->look.field = "gone";
  a->look.error = err->text;
  if (inquiry_look(&a->look, &again) != 0)
    return rc;
  return inquiry_show(&a->look, to, rc == -EEXIST ? 409 : 422, err);
}

static int act(struct acting *a, store_work *work, int rc, struct response *to,
               struct tm_error *err)
{
  const struct request *r = a->look.r;
  char path[sizeof("/inquiries/") + INQUIRY_ID];
  a->agree.inquiry = request_part(r, "id");
  a->agree.by = r->visitor->name;
  a->agree.staff = r->visitor->staff;
  a->agree.now = r->now;
  a->agree.own = !r->desk->conf->factory.tryton;
  if (rc == 0)
    rc = store_write(r->desk->store, &r->scope, work, a, err);
  if (rc == 0) {
    clerk_hurry(r->desk->clerk);
    if (r->wants_json) {
      rc = inquiry_look(&a->look, err);
      if (rc == 0)
        rc = inquiry_show(&a->look, to, 200, err);
    } else {
      snprintf(path, sizeof(path), "/inquiries/%.64s", a->agree.inquiry);
      rc = respond_redirect(to, path, err);
    }
  } else {
    rc = refuse(a, rc, to, err);
  }
  inquiry_look_release(&a->look);
  return rc;
}

static int post_agree(const struct request *r, struct response *to, struct tm_error *err)
{
  struct acting a = {.look = {.r = r}};
  a.agree.shop = request_field(r, "shop");
  a.agree.agreed_by = request_field(r, "who");
  int rc = read_day(&a, "on", &a.agree.agreed_on, err);
  if (rc == 0)
    rc = read_day(&a, "until", &a.agree.keep_until, err);
  if (rc == 0 && a.agree.agreed_by != NULL && strlen(a.agree.agreed_by) > NAME_MAX_BYTES) {
    a.look.field = "who";
    rc = tm_fail(err, -EINVAL, "at most %d bytes", NAME_MAX_BYTES);
  }
  return act(&a, write_agree, rc, to, err);
}

static int post_release(const struct request *r, struct response *to, struct tm_error *err)
{
  struct acting a = {.look = {.r = r}, .how = "released"};
  return act(&a, write_end, 0, to, err);
}

static int post_fetched(const struct request *r, struct response *to, struct tm_error *err)
{
  struct acting a = {.look = {.r = r}, .how = "fetched"};
  return act(&a, write_end, 0, to, err);
}

const struct route agree_routes[] = {
    {"POST", "/inquiries/{id}/agree", ROLE_SALES, 8192,
     "The customer has agreed: shop, who, on, until", post_agree},
    {"POST", "/inquiries/{id}/release", ROLE_SALES, 4096, "Gives back what is kept", post_release},
    {"POST", "/inquiries/{id}/fetched", ROLE_SALES | ROLE_FACTORY, 4096,
     "What was kept has been picked up", post_fetched},
    {"POST", "/api/v1/inquiries/{id}/agree", ROLE_SALES, 8192,
     "The customer has agreed: shop, who, on, until", post_agree},
    {"POST", "/api/v1/inquiries/{id}/release", ROLE_SALES, 4096, "Gives back what is kept",
     post_release},
    {"POST", "/api/v1/inquiries/{id}/fetched", ROLE_SALES | ROLE_FACTORY, 4096,
     "What was kept has been picked up", post_fetched},
    {0},
};
