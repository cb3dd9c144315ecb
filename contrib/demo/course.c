/* SPDX-License-Identifier: MIT */
#include "contrib/demo/course.h"

#include "common/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STEPS_PER_DAY 288.0            /* of UNIT_S */
#define FLOW_PER_STEP (0.5 * TIB / 12) /* how fast a project is copied in: half a TiB an hour */

/* A workday in an office, hour by hour; 1 is its busiest hour. */
static const double office[24] = {.18, .16, .15, .15, .15, .17, .22, .36, .62, .88, 1.0, .97,
                                  .74, .86, .98, .96, .90, .78, .58, .42, .34, .28, .24, .20};
#define OFFICE_MEAN 0.504

/* People print in the daytime only. */
static const double desk_hours[24] = {[8] = .45, [9] = .9,  [10] = 1,  [11] = .95, [12] = .35,
                                      [13] = .8, [14] = .9, [15] = .9, [16] = .75, [17] = .4};
#define DESK_MEAN 0.3083

static const char *const colors[MAX_SUPPLIES] = {"black", "cyan", "magenta", "yellow"};

/* --- numbers that look random and are not ---------------------------------------------------- */

enum stream { DAY_GROWTH, MONTH_GROWTH, DAY_LOAD, STEP_COUNT, BURST, PROJECT, PRINT, WEAR };

/* splitmix64 of what identifies the draw; 0 <= u < 1. */
static double draw(const struct course *c, enum stream stream, uint64_t index)
{
  uint64_t z = c->seed + 0x9e3779b97f4a7c15u * (index * 16 + (uint64_t)stream + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* About normal within -1..1, standard deviation a third. */
static double bell(const struct course *c, enum stream stream, uint64_t index)
{
  return (draw(c, stream, index * 3) + draw(c, stream, index * 3 + 1) +
          draw(c, stream, index * 3 + 2)) /
             1.5 -
         1;
}

static uint64_t seed_of(const char *text)
{
  uint64_t h = 0xcbf29ce484222325u;
  for (; *text != '\0'; text++)
    h = (h ^ (unsigned char)*text) * 0x100000001b3u;
  return h;
}

/* --- where in the day and in the two years ---------------------------------------------------- */

static double progress(const struct course *c)
{
  double p = (double)c->step / (DAYS * STEPS_PER_DAY);
  return p > 1 ? 1 : p;
}

static double between(const struct course *c, double first, double last)
{
  return first + (last - first) * progress(c);
}

/* A profile at an hour with a fraction, straight between the hours. */
static double at_hour(const double profile[24], double hour)
{
  int h = (int)hour % 24;
  double part = hour - floor(hour);
  return profile[h] * (1 - part) + profile[(h + 1) % 24] * part;
}

static bool weekend(const struct course *c)
{
  return c->weekday == 0 || c->weekday == 6;
}

static void new_day(struct course *c, int64_t t)
{
  c->day_begin = tm_day_start(t);
  c->day_end = tm_day_next(t);
  c->day++;
  time_t s = (time_t)c->day_begin;
  struct tm tm;
  localtime_r(&s, &tm);
  c->weekday = tm.tm_wday;
}

/* --- used capacity ---------------------------------------------------------------------------- */

/* Projects that arrive and clean-ups that somebody does: they set what flows in the next hours. */
static void events(struct course *c)
{
  const struct growth *g = &c->device->growth;
  bool arrives = g->step_every_days > 0 && !weekend(c) &&
                 draw(c, PROJECT, c->day * 2) < 7.0 / 5.0 / g->step_every_days;
  if (arrives)
    c->pending += g->step_tib * TIB * (0.5 + draw(c, PROJECT, c->day * 2 + 1));
  if (g->cleanup_at > 0 && c->pending >= 0 && c->used > g->cleanup_at * c->capacity)
    c->pending -= (g->cleanup_at - g->cleanup_to * (0.9 + 0.2 * draw(c, PROJECT, c->day * 2 + 1))) *
                  c->capacity;
}

static void grow(struct course *c, double hour)
{
  const struct growth *g = &c->device->growth;
  if (g->expansion_tib > 0 && (double)c->step == g->expansion_day * STEPS_PER_DAY)
    c->capacity += g->expansion_tib * TIB;

  double week = weekend(c) ? 0.4 : 1.24;
  double mood =
      (1 + 0.6 * bell(c, DAY_GROWTH, c->day)) * (1 + 0.7 * bell(c, MONTH_GROWTH, c->day / 28));
  double per_day = between(c, g->per_day_first_tib, g->per_day_last_tib) * TIB;
  c->used += per_day * week * mood * at_hour(office, hour) / OFFICE_MEAN / STEPS_PER_DAY;

  double flow = fmin(fabs(c->pending), FLOW_PER_STEP);
  flow = copysign(flow, c->pending);
  c->pending -= flow;
  c->used += flow;
  c->used = fmin(fmax(c->used, 0), c->capacity);
}

/* The share of a full backup that lies on a backup target: written in the night to Sunday, a
 * little more each night, expired before the next. */
static double saw(const struct course *c, double hour)
{
  if (c->weekday == 0 && hour < 2)
    return 1.2 * (2 - hour) / 2;
  if (c->weekday == 0)
    return 0.54 * fmin((hour - 2) / 8, 1);
  return 0.54 + 0.11 * (c->weekday - 1 + fmin(hour / 3, 1));
}

/* Temporary files: a flat device is never quite still. */
static double ripple(const struct course *c, double hour)
{
  return 0.001 * c->capacity * (at_hour(office, hour) + 0.5 * bell(c, DAY_GROWTH, c->day));
}

/* --- load ------------------------------------------------------------------------------------- */

/* What the unit interval counts that is now under way. */
static double count(const struct course *c, double hour)
{
  const struct load *l = &c->device->load;
  double level = between(c, l->first, l->last);
  double week = weekend(c) ? 0.35 : 1;
  double mood = 1 + 0.2 * bell(c, DAY_LOAD, c->day);
  double n = level * week * mood * at_hour(office, hour);
  if (hour >= 1 && hour < 4)
    n += level * at_hour(office, hour) * l->backup_factor;
  n *= 1 + 0.3 * bell(c, STEP_COUNT, c->step);
  /* About one interval a day stands out, in working hours. */
  if (hour >= 8 && hour < 19 && draw(c, BURST, c->step * 2) < 1.2 / (11 * 12))
    n *= 1 + (l->burst_factor - 1) * draw(c, BURST, c->step * 2 + 1);
  if (l->ceiling > 0)
    n = fmin(n, l->ceiling);
  return floor(fmax(n, 0));
}

/* --- printing --------------------------------------------------------------------------------- */

/* Pages of this unit interval: few jobs, of few pages each. */
static double pages(const struct course *c, double hour)
{
  const struct printing *p = &c->device->printing;
  if (weekend(c))
    return 0;
  double mean = between(c, p->pages_per_workday_first, p->pages_per_workday_last) *
                at_hour(desk_hours, hour) / DESK_MEAN / STEPS_PER_DAY;
  double luck = draw(c, PRINT, c->step);
  return luck < 0.3 ? 0 : floor(mean * (luck - 0.3) * (luck - 0.3) * 8.75 + luck);
}

static void wear(struct course *c, double n, double color)
{
  const struct printing *p = &c->device->printing;
  for (size_t i = 0; i < MAX_SUPPLIES; i++) {
    double share = i == 0 ? n : color * (1.0 + 0.15 * (double)i);
    c->supply[i] -= share;
    if (c->supply[i] < 0.02 * p->supply_pages)
      c->supply[i] = p->supply_pages;
  }
  for (size_t i = 0; i < MAX_TRAYS; i++) {
    c->tray[i] -= n * (i == 0 ? 0.8 : 0.2);
    if (c->tray[i] < 40)
      c->tray[i] += p->tray_sheets - 100;
  }
}

/* --- the whole -------------------------------------------------------------------------------- */

void course_folder(const struct device *d, char *out, size_t size)
{
  static const char *const prefix[] = {[DEVICE_ARRAY] = "disk_array-",
                                       [DEVICE_LIBRARY] = "media_library-",
                                       [DEVICE_PRINTER] = "printer-",
                                       [DEVICE_COMPUTER] = "",
                                       [DEVICE_LINK] = ""};
  snprintf(out, size, "%s%s", prefix[d->kind], d->name);
}

static const struct series array_series[] = {
    {"capacity", "total", 1, false},
    {"capacity", "used", 1, false},
    {"transfers", "completed", 1, false},
    {"interval_count", "transfers", 1, true},
};
static const struct series library_series[] = {
    {"slots", "total", 1, false},
    {"slots", "used", 1, false},
    {"drives", "total", 1, false},
};
static const struct series printer_series[] = {
    {"pages", "total", 1, false},      {"interval_count", "pages", 1, true},
    {"page_count", "total", 1, false}, {"tray_level", "1", 1, false},
    {"tray_level", "2", 1, false},
};
static const struct series computer_series[] = {
    {"df_complex", "used", 1, false},
    {"df_complex", "free", 1, false},
    {"df_complex", "reserved", 1, false},
};
static const struct series link_series[] = {{"if_octets", NULL, 2, false}};

#define ADD(rows) add(out, &n, rows, sizeof(rows) / sizeof((rows)[0]))

static void add(struct series *out, size_t *n, const struct series *rows, size_t n_rows)
{
  memcpy(out + *n, rows, n_rows * sizeof(*rows));
  *n += n_rows;
}

static size_t supplies_of(const struct device *d)
{
  return d->printing.color_share > 0 ? MAX_SUPPLIES : 1;
}

size_t course_series(const struct device *d, struct series out[MAX_SERIES])
{
  size_t n = 0;
  switch (d->kind) {
  case DEVICE_ARRAY:
    ADD(array_series);
    break;
  case DEVICE_LIBRARY:
    ADD(array_series);
    ADD(library_series);
    break;
  case DEVICE_PRINTER:
    ADD(printer_series);
    if (supplies_of(d) > 1)
      out[n++] = (struct series){"page_count", "color", 1, false};
    for (size_t i = 0; i < supplies_of(d); i++) {
      out[n++] = (struct series){"supply_level", colors[i], 1, false};
      out[n++] = (struct series){"supply_max", colors[i], 1, false};
    }
    break;
  case DEVICE_COMPUTER:
    ADD(computer_series);
    break;
  case DEVICE_LINK:
    ADD(link_series);
    break;
  }
  return n;
}

void course_init(struct course *c, const struct device *d)
{
  const struct printing *p = &d->printing;
  *c = (struct course){.device = d,
                       .seed = seed_of(d->serial),
                       .used = d->growth.start_tib * TIB,
                       .capacity = d->growth.capacity_tib * TIB,
                       .pages = floor(p->pages_per_workday_first * d->sold_days * 0.7),
                       .tray = {p->tray_sheets, p->tray_sheets}};
  c->color_pages = floor(c->pages * p->color_share);
  for (size_t i = 0; i < MAX_SUPPLIES; i++)
    c->supply[i] = p->supply_pages * (1 - 0.2 * (double)i);
}

static void printer_values(struct course *c, double hour, double phase,
                           double v[MAX_SERIES][MAX_VALUES])
{
  const struct device *d = c->device;
  double n = pages(c, hour);
  double color = floor(n * d->printing.color_share);
  double so_far = floor(c->pages + n * phase);
  c->pages += n;
  c->color_pages += color;
  wear(c, n, color);
  size_t i = 0;
  v[i++][0] = so_far;
  v[i++][0] = n;
  v[i++][0] = so_far;
  v[i++][0] = floor(c->tray[0]);
  v[i++][0] = floor(c->tray[1]);
  if (supplies_of(d) > 1)
    v[i++][0] = c->color_pages;
  for (size_t s = 0; s < supplies_of(d); s++) {
    v[i++][0] = floor(c->supply[s]);
    v[i++][0] = d->printing.supply_pages;
  }
}

static void storage_values(struct course *c, double hour, double phase,
                           double v[MAX_SERIES][MAX_VALUES])
{
  const struct device *d = c->device;
  double used = c->used + d->growth.saw_tib * TIB * saw(c, hour) + ripple(c, hour);
  double n = count(c, hour);
  size_t i = 0;
  used = floor(fmin(used, c->capacity));
  if (d->kind == DEVICE_COMPUTER) {
    double reserved = floor(0.05 * c->capacity);
    v[i++][0] = used;
    v[i++][0] = fmax(floor(c->capacity) - used - reserved, 0);
    v[i++][0] = reserved;
    return;
  }
  v[i++][0] = floor(c->capacity);
  v[i++][0] = used;
  v[i++][0] = floor(c->total[0] + n * phase);
  v[i++][0] = n;
  c->total[0] += n;
  if (d->kind == DEVICE_LIBRARY) {
    v[i++][0] = d->slots;
    v[i++][0] = ceil(used / (c->capacity / d->slots));
    v[i++][0] = d->drives;
  }
}

static void link_values(struct course *c, double hour, double phase,
                        double v[MAX_SERIES][MAX_VALUES])
{
  double n = count(c, hour);
  double sent = floor(n * (0.3 + 0.1 * draw(c, WEAR, c->day)));
  v[0][0] = floor(c->total[0] + n * phase);
  v[0][1] = floor(c->total[1] + sent * phase);
  c->total[0] += n;
  c->total[1] += sent;
}

void course_step(struct course *c, int64_t t, double phase, double values[MAX_SERIES][MAX_VALUES])
{
  int64_t begin = t - UNIT_S;
  if (begin >= c->day_end) {
    new_day(c, begin);
    events(c);
  }
  double hour = fmin((double)(begin - c->day_begin) / 3600.0, 23.99);
  if (c->device->kind == DEVICE_PRINTER) {
    printer_values(c, hour, phase, values);
  } else if (c->device->kind == DEVICE_LINK) {
    link_values(c, hour, phase, values);
  } else {
    grow(c, hour);
    storage_values(c, hour, phase, values);
  }
  c->step++;
}
