/* SPDX-License-Identifier: MIT */
#include "contrib/desk/work/chores.h"

#include "common/clock.h"
#include "common/log.h"
#include "contrib/desk/advice/advise.h"
#include "contrib/desk/claims/crm.h"
#include "contrib/desk/claims/progress.h"
#include "contrib/desk/customers/crm.h"
#include "contrib/desk/intake/erase.h"
#include "contrib/desk/sales/letters.h"
#include "contrib/desk/work/nightly.h"
#include "contrib/desk/work/ticker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Looks for advice that is due each second, for the rest each minute. After a failure it waits. */
enum { MINUTE = 60, AFTER_FAILURE_S = 30, DEVICES = 128, NICE = 10 };

struct chores {
  const struct desk *desk;
  struct night night;
  struct lease weekly, crm_lease;
  struct claims_crm *crm; /* NULL: there is none */
  struct adviser *adviser;
  struct ticker *ticker; /* NULL in chores_once() */
  double looked;         /* when the minute's work was begun; monotonic */
};

static bool is_ending(void *user)
{
  return ticker_is_ending(((struct chores *)user)->ticker);
}

/* --- letters ------------------------------------------------------------------------------ */

struct writing {
  const struct desk *desk;
  int64_t week, now;
  int n;
};

static int write_late(struct db *db, void *arg, struct tm_error *err)
{
  struct writing *w = arg;
  w->n = letters_late(db, w->desk, w->now, err);
  return w->n < 0 ? w->n : 0;
}

static int write_weekly(struct db *db, void *arg, struct tm_error *err)
{
  struct writing *w = arg;
  w->n = letters_weekly(db, w->desk, w->week, w->now, err);
  return w->n < 0 ? w->n : 0;
}

static int write_letters(struct chores *c, int64_t now, struct tm_error *err)
{
  struct writing letters = {.desk = c->desk, .week = letters_week(now), .now = now};
  int rc = 0;
  if (c->desk->templates == NULL || c->desk->conf->mail.url == NULL)
    return 0;
  do
    rc = store_write(c->desk->store, &db_everyone, write_late, &letters, err);
  while (rc == 0 && letters.n == LETTERS_AT_ONCE);
  if (rc == 0)
    rc = lease_take(c->desk->store, &c->weekly, letters.week, now, err);
  if (rc <= 0)
    return rc;
  rc = store_write(c->desk->store, &db_everyone, write_weekly, &letters, err);
  return rc == 0 ? lease_finish(c->desk->store, &c->weekly, letters.week, now, err) : rc;
}

/* --- the CRM -------------------------------------------------------------------------------- */

/* What is told, or what is asked for claims. Either looks first for what is there: of two desks
 * that did so at once each would make it, and the slower one would bring back what was changed
 * since. */
static int do_crm(struct chores *c, bool claims, int64_t now, struct tm_error *err)
{
  struct tm_error own = {0};
  if (!c->desk->conf->factory.tryton)
    return 0;
  int rc = lease_take(c->desk->store, &c->crm_lease, 1, now, err);
  if (rc <= 0)
    return rc;
  rc = claims ? claims_crm_work(c->crm, c->desk, now, err)
              : crm_due(c->night.store, c->night.conf, now, err);
  int released = lease_release(c->desk->store, &c->crm_lease, rc < 0 ? &own : err);
  return rc < 0 ? rc : released;
}

/* The night's work first makes all devices due, then they are advised. */
static int do_rest(struct chores *c, int64_t now, struct tm_error *err)
{
  int rc = erase_due(c->night.store, c->night.conf->factory.tryton, now, err);
  if (rc == 0)
    rc = do_crm(c, false, now, err);
  if (rc == 0)
    rc = nightly_run(&c->night, now, err);
  return rc < 0 ? rc : write_letters(c, now, err);
}

/* What came for claims; and, each minute, the CRM's own. */
static int do_claims(struct chores *c, bool minute, int64_t now, struct tm_error *err)
{
  int rc = claims_work(c->desk, now, err);
  if (rc == 0 && minute && c->crm != NULL)
    rc = do_crm(c, true, now, err);
  return rc;
}

static int tick(void *user)
{
  struct chores *c = user;
  struct tm_error err = {0};
  int done = 0, rc = 0;
  bool minute = tm_monotonic() - c->looked >= MINUTE;
  /* Of this thread alone, as Linux has it. */
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
  if (minute) {
    c->looked = tm_monotonic();
    rc = do_rest(c, tm_now(), &err);
  }
  if (rc == 0)
    rc = do_claims(c, minute, tm_now(), &err);
  if (rc == 0)
    rc = adviser_work(c->adviser, tm_now(), DEVICES, &done, &err);
  if (rc < 0 && rc != -ECANCELED)
    tm_log_error("%s", err.text);
  return rc < 0 ? AFTER_FAILURE_S : done == DEVICES ? 0 : 1;
}

static struct chores *new_chores(const struct desk *desk)
{
  struct chores *c = calloc(1, sizeof(*c));
  if (c == NULL)
    return NULL;
  c->desk = desk;
  c->looked = -MINUTE;
  c->night =
      (struct night){.store = desk->store, .conf = desk->conf, .ended = is_ending, .user = c};
  lease_init(&c->weekly, "weekly");
  lease_init(&c->crm_lease, "crm");
  lease_init(&c->night.lease, "nightly");
  c->adviser = adviser_new(desk->store);
  if (c->adviser == NULL) {
    chores_end(c);
    return NULL;
  }
  return c;
}

int chores_start(struct chores **chores, const struct desk *desk, struct tm_error *err)
{
  struct chores *c = new_chores(desk);
  if (c == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = claims_crm_new(&c->crm, desk->conf, err);
  if (rc == 0)
    rc = ticker_start(&c->ticker, tick, c, err);
  if (rc < 0)
    chores_end(c);
  else
    *chores = c;
  return rc;
}

void chores_end(struct chores *c)
{
  if (c == NULL)
    return;
  ticker_end(c->ticker);
  adviser_free(c->adviser);
  claims_crm_free(c->crm);
  free(c);
}

int chores_once(const struct desk *desk, int64_t now, struct tm_error *err)
{
  struct chores *c = new_chores(desk);
  if (c == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int done = DEVICES;
  int rc = do_rest(c, now, err);
  while (rc == 0 && done == DEVICES)
    rc = adviser_work(c->adviser, now, DEVICES, &done, err);
  if (rc == 0)
    rc = write_letters(c, now, err);
  chores_end(c);
  return rc;
}
