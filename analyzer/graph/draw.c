/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/draw.h"

#include "analyzer/graph/label.h"
#include "common/clock.h"
#include "common/number.h"

#include <errno.h>
#include <math.h>
#include <rrd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One accent for what was measured and forecast, greys for the frame of it, and states. */
#define ACCENT "#0f766e"
#define GREY   "#64748b"
#define SOON   "#b45309"
#define LATE   "#b91c1c"

/* Between a legend's colour and its words: librrd leaves nothing, and eats a plain blank. */
#define GAP "\xc2\xa0"

#define CAPACITY_HEIGHT 260
#define MAXIMA_HEIGHT   110
enum { MAX_ARGS = 96, MAX_COLUMNS = 4 };

struct arguments {
  char *v[MAX_ARGS];
  int n;
  bool failed;
};

static void arg(struct arguments *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void arg(struct arguments *a, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  if (a->n == MAX_ARGS || vasprintf(&a->v[a->n], fmt, ap) < 0)
    a->failed = true;
  else
    a->n++;
  va_end(ap);
}

static void arguments_release(struct arguments *a)
{
  for (int i = 0; i < a->n; i++)
    free(a->v[i]);
  *a = (struct arguments){0};
}

static int rrd_fail(struct tm_error *err)
{
  int rc = tm_fail(err, -EIO, "librrd: %s", rrd_get_error());
  rrd_clear_error();
  return rc;
}

/* --- the series as RRD files of our own ------------------------------------------------------- */

/* The axis in whole pixels. */
struct axis {
  int64_t start, end; /* multiples of step */
  int64_t step;
};

/* The start of the last month whose number (from 0) is a multiple of `months`, at or before t. */
static int64_t month_before(int64_t t, int months)
{
  time_t s = (time_t)t;
  struct tm tm;
  localtime_r(&s, &tm);
  struct tm first = {.tm_year = tm.tm_year,
                     .tm_mon = tm.tm_mon - tm.tm_mon % months,
                     .tm_mday = 1,
                     .tm_isdst = -1};
  return (int64_t)mktime(&first);
}

/* Lines of the time axis: grid, labels and their format, and how far apart the labels are. */
static const struct time_grid {
  double label_days;
  int label_months; /* 0: not whole months */
  const char *lines;
} time_grids[] = {
    {2, 0, "HOUR:12:DAY:1:DAY:2:0:%d %b"},        {7, 0, "DAY:1:WEEK:1:WEEK:1:0:%d %b"},
    {14, 0, "DAY:7:WEEK:2:WEEK:2:0:%d %b"},       {30.4, 1, "WEEK:1:MONTH:1:MONTH:1:0:%b %Y"},
    {91.3, 3, "MONTH:1:MONTH:3:MONTH:3:0:%b %Y"}, {182.6, 6, "MONTH:1:MONTH:6:MONTH:6:0:%b %Y"},
    {365.2, 12, "MONTH:3:YEAR:1:YEAR:1:0:%Y"},    {730.5, 12, "YEAR:1:YEAR:2:YEAR:2:0:%Y"},
    {3652.4, 12, "YEAR:5:YEAR:10:YEAR:10:0:%Y"},  {INFINITY, 12, "YEAR:10:YEAR:50:YEAR:50:0:%Y"},
};
#define LABEL_ROOM 74 /* pixels from one label to the next */

/* The densest that does not crowd; NULL for some hours, where librrd's own choice is good. */
static const struct time_grid *time_grid_of(int64_t span_s, unsigned width)
{
  const struct time_grid *g = time_grids;
  if (span_s < 4 * (int64_t)TM_DAY)
    return NULL;
  while (g->label_days * TM_DAY * width / (double)span_s < LABEL_ROOM)
    g++;
  return g;
}

/* A label's half width: librrd cuts what stands out of the picture at its right edge. */
#define LABEL_PIXELS 34

static struct axis axis_of(const struct plot *p)
{
  int64_t to = p->to;
  int64_t step = (to - p->from + p->width - 1) / p->width;
  const struct time_grid *grid = time_grid_of(to - p->from, p->width);
  int months = grid == NULL ? 0 : grid->label_months;
  if (months > 0 && to - month_before(to, months) < LABEL_PIXELS * step)
    to = month_before(to, months) + LABEL_PIXELS * step;
  struct axis a = {.step = (to - p->from + p->width - 1) / p->width};
  a.step = a.step < 1 ? 1 : a.step;
  a.start = p->from - p->from % a.step;
  a.end = a.start + a.step * (int64_t)p->width;
  return a;
}

/* Values of one pixel; `t` is the end of its time. */
typedef void (*sample)(const struct plot *p, const struct axis *a, int64_t t, size_t *hints,
                       double *values);

static int put_rows(const char *path, const struct plot *p, const struct axis *a, sample take,
                    size_t n, struct tm_error *err)
{
  size_t hints[MAX_COLUMNS] = {0};
  for (int64_t t = a->start + a->step; t <= a->end; t += a->step) {
    double values[MAX_COLUMNS];
    char row[256];
    int len = snprintf(row, sizeof(row), "%lld", (long long)t);
    take(p, a, t, hints, values);
    for (size_t i = 0; i < n; i++)
      len += isfinite(values[i])
                 ? snprintf(row + len, sizeof(row) - (size_t)len, ":%.10g", values[i])
                 : snprintf(row + len, sizeof(row) - (size_t)len, ":U");
    if (rrd_update_r(path, NULL, 1, &(const char *){row}) != 0)
      return rrd_fail(err);
  }
  return 0;
}

static int put_file(const char *path, const struct plot *p, const struct axis *a, sample take,
                    const char *const *names, size_t n, struct tm_error *err)
{
  char source[MAX_COLUMNS][64];
  char archive[2][64];
  const char *argv[MAX_COLUMNS + 2];
  int argc = 0;
  for (size_t i = 0; i < n; i++) {
    snprintf(source[i], sizeof(source[i]), "DS:%s:GAUGE:%lld:U:U", names[i],
             (long long)a->step * 2);
    argv[argc++] = source[i];
  }
  snprintf(archive[0], sizeof(archive[0]), "RRA:AVERAGE:0.5:1:%u", p->width + 1);
  snprintf(archive[1], sizeof(archive[1]), "RRA:MAX:0.5:1:%u", p->width + 1);
  argv[argc++] = archive[0];
  argv[argc++] = archive[1];
  if (rrd_create_r(path, (unsigned long)a->step, (time_t)a->start, argc, argv) != 0)
    return rrd_fail(err);
  return put_rows(path, p, a, take, n, err);
}

/* --- units ------------------------------------------------------------------------------------ */

struct unit {
  char name[PLOT_TEXT];
  double size;
};

/* The unit in which `largest` is a number that people read. */
static struct unit unit_of(const struct plot *p, double largest)
{
  static const char *const names[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  struct unit u = {.size = 1};
  size_t i = 0;
  if (strcmp(p->unit, "bytes") != 0) {
    label_escape(u.name, sizeof(u.name), p->unit, 16);
    return u;
  }
  for (; i + 1 < sizeof(names) / sizeof(names[0]) && largest >= 2048; i++) {
    largest /= 1024;
    u.size *= 1024;
  }
  snprintf(u.name, sizeof(u.name), "%s", names[i]);
  return u;
}

static double larger(double a, double b)
{
  return isnan(a) || b > a ? b : a;
}

static double largest_known(const struct plot *p)
{
  double largest = NAN;
  for (size_t i = 0; i < p->n_rows; i++) {
    if (isfinite(p->rows[i].used))
      largest = larger(largest, p->rows[i].used);
    if (isfinite(p->rows[i].capacity))
      largest = larger(largest, p->rows[i].capacity);
  }
  return largest;
}

/* --- drawing ---------------------------------------------------------------------------------- */

static void frame(struct arguments *a, const struct plot *p, const struct axis *axis,
                  unsigned height, const char *unit)
{
  static const char *const colors[] = {
      "BACK#ffffff",  "CANVAS#ffffff", "SHADEA#ffffff", "SHADEB#ffffff", "GRID#eef1f4",
      "MGRID#d5dbe1", "FONT#334155",   "AXIS#94a3b8",   "FRAME#ffffff",  "ARROW#ffffff00"};
  static const char *const fonts[] = {"DEFAULT:9.5:DejaVu Sans", "AXIS:9:DejaVu Sans",
                                      "UNIT:9:DejaVu Sans", "LEGEND:9.5:DejaVu Sans"};
  arg(a, "graphv");
  arg(a, "-"); /* into memory */
  arg(a, "--imgformat=%s", p->format == PLOT_SVG ? "SVG" : "PNG");
  arg(a, "--start=%lld", (long long)axis->start);
  arg(a, "--end=%lld", (long long)axis->end);
  arg(a, "--step=%lld", (long long)axis->step);
  arg(a, "--width=%u", p->width);
  arg(a, "--height=%u", height);
  arg(a, "--border=0");
  arg(a, "--disable-rrdtool-tag");
  arg(a, "--legend-position=north");
  arg(a, "--pango-markup");
  arg(a, "--grid-dash=1:0");
  arg(a, "--units-length=7"); /* the same in both panels, so that their axes stand in line */
  arg(a, "--vertical-label=%s", unit);
  for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
    arg(a, "--color=%s", colors[i]);
  for (size_t i = 0; i < sizeof(fonts) / sizeof(fonts[0]); i++)
    arg(a, "--font=%s", fonts[i]);
  const struct time_grid *grid = time_grid_of(axis->end - axis->start, p->width);
  if (grid != NULL)
    arg(a, "--x-grid=%s", grid->lines);
}

static int render(struct picture *out, struct arguments *a, struct tm_error *err)
{
  if (a->failed)
    return tm_fail(err, -ENOMEM, "drawing: out of memory");
  rrd_info_t *info = rrd_graph_v(a->n, a->v);
  if (info == NULL || rrd_test_error()) {
    rrd_info_free(info);
    return rrd_fail(err);
  }
  int rc = tm_fail(err, -EIO, "librrd: drew nothing");
  for (const rrd_info_t *i = info; i != NULL; i = i->next) {
    if (i->type != RD_I_BLO || strcmp(i->key, "image") != 0)
      continue;
    out->bytes = malloc(i->value.u_blo.size + 1);
    if (out->bytes == NULL) {
      rc = tm_fail(err, -ENOMEM, "drawing: out of memory");
      break;
    }
    memcpy(out->bytes, i->value.u_blo.ptr, i->value.u_blo.size);
    out->bytes[i->value.u_blo.size] = '\0';
    out->len = i->value.u_blo.size;
    rc = 0;
  }
  rrd_info_free(info);
  return rc;
}

/* --- used, capacity, forecast ----------------------------------------------------------------- */

static void sample_capacity(const struct plot *p, const struct axis *a, int64_t t, size_t *hints,
                            double *values)
{
  int64_t middle = t - a->step / 2;
  values[0] = plot_used_at(p, middle, &hints[0]);
  values[1] = plot_capacity_at(p, middle, &hints[1]);
}

static void sample_band(const struct plot *p, const struct axis *a, int64_t t, size_t *hints,
                        double *values)
{
  struct plot_band b = plot_band_at(p, t - a->step / 2, &hints[0]);
  values[0] = b.low;
  values[1] = b.middle;
  values[2] = b.high;
}

static void head(struct arguments *a, const struct plot *p)
{
  char text[LABEL_SIZE];
  size_t columns = p->width / 9;
  arg(a, "COMMENT:<span size=\"12500\" weight=\"bold\">%s</span>\\l",
      label_escape(text, sizeof(text), p->title, columns));
  if (p->subtitle[0] != '\0')
    arg(a, "COMMENT:%s\\l", label_escape(text, sizeof(text), p->subtitle, columns * 6 / 5));
}

static void marks(struct arguments *a, const struct plot *p)
{
  static const char *const colors[] = {[PLOT_CALM] = GREY, [PLOT_SOON] = SOON, [PLOT_LATE] = LATE};
  char text[LABEL_SIZE];
  char date[TM_DATE_SIZE];
  for (size_t i = 0; i < p->n_events; i++)
    arg(a, "VRULE:%lld%s:" GAP "%s:dashes=2,4", (long long)p->events[i].time, GREY,
        label_escape(text, sizeof(text), p->events[i].text, 40));
  if (p->full != PLOT_NONE)
    arg(a, "VRULE:%lld%s:" GAP "Full most likely on %s:dashes=5,3", (long long)p->full,
        colors[p->full_state], tm_date_format(date, p->full));
}

static void forecast_lines(struct arguments *a, const struct plot *p, double size)
{
  bool fan = isfinite(p->band[p->n_band - 1].low) && isfinite(p->band[p->n_band - 1].high);
  arg(a, "DEF:low_=band.rrd:low:AVERAGE");
  arg(a, "DEF:middle_=band.rrd:middle:AVERAGE");
  arg(a, "DEF:high_=band.rrd:high:AVERAGE");
  arg(a, "CDEF:low=low_,%.17g,/", size);
  arg(a, "CDEF:middle=middle_,%.17g,/", size);
  arg(a, "CDEF:wide=high_,low_,-,%.17g,/", size);
  if (fan) {
    arg(a, "AREA:low%s", ACCENT "00");
    arg(a, "AREA:wide%s:" GAP "Forecast, 8 chances in 10:STACK", ACCENT "33");
  }
  arg(a, "LINE1.5:middle%s:%s:dashes=6,4", ACCENT, fan ? "" : GAP "Forecast");
}

int draw_capacity(struct picture *out, const struct plot *p, struct tm_error *err)
{
  static const char *const names[] = {"used", "capacity"};
  static const char *const band[] = {"low", "middle", "high"};
  struct arguments a = {0};
  struct axis axis = axis_of(p);
  double largest = largest_known(p);
  struct unit unit = unit_of(p, largest);
  if (isnan(largest))
    return 0;
  int rc = put_file("capacity.rrd", p, &axis, sample_capacity, names, 2, err);
  if (rc == 0)
    rc = put_file("band.rrd", p, &axis, sample_band, band, 3, err);
  if (rc < 0)
    return rc;
  frame(&a, p, &axis, CAPACITY_HEIGHT, unit.name);
  arg(&a, "--lower-limit=0");
  arg(&a, "--upper-limit=%.17g", largest * 1.06 / unit.size);
  arg(&a, "--rigid");
  arg(&a, "--units-exponent=0");
  arg(&a, "--slope-mode");
  head(&a, p);
  arg(&a, "DEF:used_=capacity.rrd:used:AVERAGE");
  arg(&a, "DEF:capacity_=capacity.rrd:capacity:AVERAGE");
  arg(&a, "CDEF:used=used_,%.17g,/", unit.size);
  arg(&a, "CDEF:capacity=capacity_,%.17g,/", unit.size);
  arg(&a, "AREA:used%s", ACCENT "1a");
  arg(&a, "LINE2:used%s:" GAP "Used", ACCENT);
  arg(&a, "LINE1.5:capacity%s:" GAP "Capacity", GREY);
  if (p->n_band > 0)
    forecast_lines(&a, p, unit.size);
  marks(&a, p);
  arg(&a, "COMMENT:\\l"); /* else the legend is spread over the whole width */
  rc = render(out, &a, err);
  arguments_release(&a);
  return rc;
}

/* --- interval maxima -------------------------------------------------------------------------- */

static void sample_maxima(const struct plot *p, const struct axis *a, int64_t t, size_t *hints,
                          double *values)
{
  values[0] = plot_max_at(p, t, a->step, &hints[0]);
}

int draw_maxima(struct picture *out, const struct plot *p, struct tm_error *err)
{
  static const char *const names[] = {"max"};
  struct arguments a = {0};
  struct axis axis = axis_of(p);
  char text[LABEL_SIZE];
  double largest = NAN;
  for (size_t i = 0; i < p->n_days; i++)
    if (isfinite(p->days[i].max))
      largest = larger(largest, p->days[i].max);
  if (isnan(largest))
    return 0;
  int rc = put_file("maxima.rrd", p, &axis, sample_maxima, names, 1, err);
  if (rc < 0)
    return rc;
  bool alone = isnan(largest_known(p));
  frame(&a, p, &axis, alone ? CAPACITY_HEIGHT : MAXIMA_HEIGHT, " ");
  arg(&a, "--lower-limit=0");
  if (alone)
    head(&a, p);
  arg(&a, "DEF:max=maxima.rrd:max:MAX");
  arg(&a, "AREA:max%s:" GAP "%s\\l", ACCENT "99",
      label_escape(text, sizeof(text), p->maxima_label, p->width / 8));
  rc = render(out, &a, err);
  arguments_release(&a);
  return rc;
}
