/* SPDX-License-Identifier: MIT */
#ifndef TM_RULES_H
#define TM_RULES_H

#include "analyzer/catalogue.h"
#include "analyzer/outlook.h"
#include "analyzer/pack.h"
#include "common/error.h"
#include "common/thresholds.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * When is something proposed? Each rule is one small file that looks at the facts of one device and
 * says whether a need holds, how large it is and why. What is then ordered is the plan's business
 * (analyzer/plan.h), so that two rules cannot contradict each other. contrib/doc/recommendations.md
 * explains the same to people who do not program.
 */

#define LOAD_MAX_DAYS 800

/* How busy the device is at its busiest, day by day. Speeds are in the unit of the model's rating:
 * transfers or bytes a second, pages a minute, load average, percent. */
struct rule_load {
  const char *unit; /* of the summary: "transfers", "pages", "bytes", "load", "percent"; NULL */
  double limit;     /* what the device carries with what is built in; NAN */
  double level;     /* the largest of the last 7 days; NAN */
  double peak;      /* the largest of all days; NAN */
  double growth_per_day;
  struct outlook outlook; /* when the limit is reached; n is 0 when unknown or far from it */
  size_t n;
  int64_t time[LOAD_MAX_DAYS];
  double max[LOAD_MAX_DAYS];  /* speed of the busiest unit interval */
  double mean[LOAD_MAX_DAYS]; /* mean speed of the day */
};

struct rule_facts {
  const json_t *summary; /* and its parts, borrowed; NULL where absent */
  const json_t *product;
  const json_t *status;
  const json_t *history;
  const struct catalogue *catalogue;
  const struct catalogue_item *model;
  const struct rule_thresholds *thresholds;
  int64_t now;
  int64_t observed_at;
  int64_t sold_on; /* INT64_MIN when unknown */
  bool slots;      /* sizes are slots, not bytes */
  double capacity; /* NAN when unknown, as are the next ones */
  double used;
  double cache_bytes;
  double growth_per_day;
  const char *method; /* the forecast's model; NULL */
  struct outlook fill;
  struct rule_load load;
};

/*
 * Reads the facts of a summary of a known model. 0, -EBADMSG for a summary whose parts have the
 * wrong shape, or -ENOMEM. What is absent or null is unknown.
 */
int rule_facts_read(struct rule_facts *f, const json_t *summary, const struct catalogue *c,
                    const struct catalogue_item *model, const struct rule_thresholds *t,
                    int64_t now, struct tm_error *err);
/* Pieces of an item that the product's configuration says are built in ("3 x SHELF-20T"); 0 when it
 * does not say. */
unsigned rule_installed(const json_t *product, const struct catalogue_item *item);
/* What a model is rated for in the unit of this device's load; NAN when unknown. */
double rule_rated_speed(const struct rule_load *l, const struct catalogue_item *model);
/* The mean of the pages of a month, 30 days, over the last duty_days; NAN when fewer than two
 * thirds of these days are known. *error gets its standard error. */
double rule_pages_per_month(const struct rule_facts *f, double *error);
/* The newest value of status.levels[] by name; NAN. */
double rule_level(const struct rule_facts *f, const char *name);

enum need_action { NEED_GROW, NEED_CACHE, NEED_FASTER, NEED_SOFTWARE, NEED_SUPPLY, NEED_SERVICE };
#define NEED_ACTIONS   6
#define NEED_MAX_LINES 16
#define NEED_REASON    400
const char *need_action_name(enum need_action action);

struct need_line {
  const struct catalogue_item *item;
  unsigned quantity;
};

/* What a rule found. */
struct need {
  bool holds;
  enum need_action action;
  double want_size;  /* capacity (bytes or slots) to plan for; NAN: as it is */
  double want_speed; /* to plan for, in the unit of the load; NAN: as it is */
  double want_duty;  /* pages a month to plan for; NAN: as it is */
  bool replace;      /* the device itself has to go, whatever fits it */
  /* Direct needs say themselves what is ordered. */
  struct need_line lines[NEED_MAX_LINES];
  size_t n_lines;
  struct outlook when;
  int64_t order_by;  /* a day that does not follow from `when`; INT64_MIN: it does */
  double confidence; /* chance that the need is there within the rule's time */
  char reason[NEED_REASON];
  json_t *evidence; /* the numbers, an object of scalars, owned; NULL: none yet */
};
/* Adds a number or text to the evidence; index 0 for a name that stands once. The name is made of
 * small letters, figures and '_'; texts are cut to what the summary's schema allows. */
void need_put_number(struct need *n, const char *name, size_t index, double value);
void need_put_text(struct need *n, const char *name, size_t index, const char *value);
void need_release(struct need *n);

/*
 * A rule fills *need, whose holds stays false when nothing is needed. 0, or -ENOMEM. Facts that it
 * needs and that are unknown mean that nothing is needed: no advice on a guess.
 */
typedef int rule(const struct rule_facts *f, struct need *need, struct tm_error *err);
rule rule_grow;     /* full soon */
rule rule_cache;    /* its load nears what it carries, and a cache module carries that */
rule rule_faster;   /* its load nears what it carries, and no cache module does; or a printer prints
                       more than its duty */
rule rule_software; /* a newer release of what runs on it is out */
rule rule_supply;   /* toner, drum, paper end before a new one could be there */
rule rule_service;  /* maintenance is due, or the model is no longer maintained */

/* Shared by cache and faster: does the load near the limit? False when it is not known. */
bool rule_load_nears(const struct rule_facts *f);
/* The speed to plan for over so many days. */
double rule_load_after(const struct rule_facts *f, double days);

/* What expansions and cache modules are to be put into: the device as it stands, or a new one. */
struct rule_frame {
  const struct catalogue_item *model;
  const json_t *product; /* its configuration tells what is built in; NULL: nothing yet */
  bool slots;
  double size, speed, cache_bytes; /* with what is built in; NAN when unknown */
};
struct rule_frame rule_frame_of(const struct rule_facts *f);
/* The cheapest set of what fits: expansions when want_size is given, cache modules when want_speed
 * is. 0, or -ENOENT when no set carries it. lines get what is to be ordered; *proven tells whether
 * no cheaper set exists, *price is the set's, in 1/10000. */
int rule_pack(const struct rule_frame *frame, double want_size, double want_speed,
              struct need_line lines[NEED_MAX_LINES], size_t *n_lines, int64_t *price,
              bool *proven);
/*
 * True when cache modules alone help the device as it stands. *want_speed becomes what they carry
 * the load up to: for the whole planning time, else for half or a quarter of it. It stays NAN when
 * the catalogue does not say what a module that fits brings: then *module is the cheapest one.
 */
bool rule_cache_helps(const struct rule_facts *f, double *want_speed,
                      const struct catalogue_item **module);

#endif
