/* SPDX-License-Identifier: MIT */
#ifndef TM_DEMO_FLEET_H
#define TM_DEMO_FLEET_H

#include <stddef.h>

/*
 * The demonstration fleet as data: who owns which device, what its papers say and how it is used.
 * None of it exists; every registration says so.
 */

#define TIB  1099511627776.0
#define GIB  1073741824.0
#define DAYS 731 /* of history: two years and a day */

/* How the used capacity moves; amounts in TiB. A member that is 0 plays no part. */
struct growth {
  double capacity_tib;
  double start_tib;
  double per_day_first_tib, per_day_last_tib; /* changes evenly over the two years */
  double step_tib, step_every_days;           /* projects that arrive on some workdays */
  double saw_tib;                             /* a full backup of this size each Sunday night */
  double cleanup_at, cleanup_to;              /* shares of the capacity */
  double expansion_tib;
  unsigned expansion_day; /* days after the first */
};

/* How busy it is: what one unit interval of 300 s counts at the busiest hour of a workday. */
struct load {
  double first, last;   /* changes evenly over the two years */
  double backup_factor; /* of the day's load, between 01:00 and 04:00 */
  double burst_factor;  /* the height of a day's one or two short bursts */
  double ceiling;       /* what it cannot go beyond; 0: never met */
};

struct printing {
  double pages_per_workday_first, pages_per_workday_last;
  double color_share;  /* 0: a monochrome printer */
  double supply_pages; /* what one cartridge is good for */
  double tray_sheets;
};

enum device_kind { DEVICE_ARRAY, DEVICE_LIBRARY, DEVICE_PRINTER, DEVICE_COMPUTER, DEVICE_LINK };

struct device {
  enum device_kind kind;
  const char *name; /* as the analyzer names it: the plugin's instance, or the collectd folder */
  const char *vendor, *model, *product_number, *serial, *configuration;
  const char *price, *firmware;
  unsigned sold_days; /* before the first day of the history */
  double cache_gib;
  unsigned slots, drives; /* DEVICE_LIBRARY */
  struct growth growth;
  struct load load;
  struct printing printing;
};

struct site {
  const char *customer, *customer_name, *name, *timezone, *host;
  double phase_s;               /* of the collectd reads after the border of an interval */
  unsigned gap_day, gap_hours;  /* collectd was down */
  const struct device *devices; /* ends with name == NULL */
};

extern const struct site demo_fleet[]; /* ends with customer == NULL */

#endif
