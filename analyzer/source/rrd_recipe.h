/* SPDX-License-Identifier: MIT */
#ifndef TM_RRD_RECIPE_H
#define TM_RRD_RECIPE_H

#include "analyzer/series.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What collectd's folders and files mean: data, no code. A folder is PLUGIN-INSTANCE, a file
 * TYPE-INSTANCE.rrd.
 */
enum rrd_use {
  RRD_USED,     /* what fills up */
  RRD_CAPACITY, /* and its limit */
  RRD_FREE,     /* capacity = used + free */
  RRD_COUNT,    /* transfers of whole unit intervals */
  RRD_RATE,     /* the same as a rate */
  RRD_LEVEL,    /* the newest value alone */
  RRD_FOLLOWED  /* a level whose history is wanted too */
};

/* How the data sources of one file make one value. */
enum rrd_pick {
  RRD_PLAIN,     /* the first one named */
  RRD_LARGER,    /* the larger of the two: the busier direction of a link */
  RRD_COMPLEMENT /* 100 less it: what is not idle */
};

struct rrd_role {
  const char *file; /* without ".rrd"; a '*' at its end stands for anything */
  enum rrd_use use;
  const char *unit;
  enum rrd_pick pick;
  const char *ds; /* NULL: the first one */
  const char *ds2;
};

struct rrd_recipe {
  const char *plugin; /* the folder is this, or this and '-' and the instance */
  enum series_kind kind;
  bool by_instance;             /* the device is named by the instance, not by the folder */
  const struct rrd_role *roles; /* the first of a use that is there and sound counts; ends with
                                   file == NULL */
};

/* The recipe for a folder; NULL: not one of those that are read. */
const struct rrd_recipe *rrd_recipe_for(const char *folder);
/* All recipes, one by one from 0; NULL behind the last. */
const struct rrd_recipe *rrd_recipe_at(size_t i);
/* The recipe of a file that lies outside such a folder: it is a device of its own. */
const struct rrd_recipe *rrd_recipe_loose(void);
/* The instance in a folder's name ("" for none). */
const char *rrd_recipe_instance(const struct rrd_recipe *r, const char *folder);
/* What a device is called whose folder this is: its instance or, without one, the folder. */
const char *rrd_recipe_device(const struct rrd_recipe *r, const char *folder);
/* The role of a file name ("capacity-used.rrd"); NULL: none. */
const struct rrd_role *rrd_recipe_role(const struct rrd_recipe *r, const char *file);

/* A forecast, which may have been written beside the history. */
#define RRD_FORECAST_FILE "forecast.rrd"
/* True for the name of a file that may hold history: x.rrd, but for hidden ones and forecasts. */
bool rrd_recipe_is_history(const char *file);

/* True for file systems of images, overlays and memory, as far as collectd's name tells. */
bool rrd_recipe_is_hidden(const char *folder);

#endif
