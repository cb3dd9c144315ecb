/* SPDX-License-Identifier: MIT */
#include "analyzer/source/history.h"

#include <math.h>
#include <stdlib.h>

struct history *history_new(unsigned days)
{
  struct history *h = malloc(sizeof(*h));
  if (h == NULL)
    return NULL;
  h->build = maxima_build_new();
  if (h->build == NULL) {
    free(h);
    return NULL;
  }
  days_init(&h->days);
  h->n_days = days;
  h->n = 0;
  return h;
}

void history_free(struct history *h)
{
  if (h == NULL)
    return;
  maxima_build_free(h->build);
  free(h);
}

void history_begin(struct history *h, int64_t oldest, int64_t newest, int64_t step_s)
{
  int64_t rows = (newest - oldest) / step_s + 1;
  int64_t room = SERIES_MAX_ROWS - 1;
  if (rows > room) { /* whole multiples, so that each row holds as many readings */
    step_s *= (rows + room - 1) / room;
    rows = (newest - oldest) / step_s + 1;
  }
  h->n = (size_t)rows;
  h->n_followed = 0;
  h->step_s = step_s;
  for (size_t i = 0; i < h->n; i++) {
    h->time[i] = newest - (int64_t)(h->n - 1 - i) * step_s;
    h->used[i] = h->capacity[i] = NAN;
    h->weight[0][i] = h->weight[1][i] = 0;
  }
}

static void take(double *row, uint32_t *weight, double value)
{
  if (isnan(value))
    return;
  *weight += 1;
  *row = *weight == 1 ? value : *row + (value - *row) / *weight;
}

void history_put(struct history *h, int64_t time, double used, double capacity)
{
  if (h->n == 0 || time > h->time[h->n - 1] || time <= h->time[0] - h->step_s)
    return;
  size_t i = h->n - 1 - (size_t)((h->time[h->n - 1] - time) / h->step_s);
  take(&h->used[i], &h->weight[0][i], used);
  take(&h->capacity[i], &h->weight[1][i], capacity);
}

double *history_follow(struct history *h)
{
  if (h->n_followed == HISTORY_MAX_FOLLOWED)
    return NULL;
  double *rows = h->followed[h->n_followed++];
  for (size_t i = 0; i < SERIES_MAX_ROWS; i++)
    rows[i] = NAN;
  return rows;
}

bool history_append(struct history *h, int64_t time, double used, double capacity)
{
  if (h->n == SERIES_MAX_ROWS || (h->n > 0 && time <= h->time[h->n - 1]))
    return false;
  h->time[h->n] = time;
  h->used[h->n] = used;
  h->capacity[h->n++] = capacity;
  return true;
}

static bool row_is_known(const struct history *h, size_t i)
{
  bool known = !isnan(h->used[i]) || !isnan(h->capacity[i]);
  for (size_t k = 0; !known && k < h->n_followed; k++)
    known = !isnan(h->followed[k][i]);
  return known;
}

void history_rows(struct history *h, struct series *s)
{
  size_t skip = 0;
  while (skip < h->n && !row_is_known(h, skip))
    skip++;
  s->n = h->n - skip;
  s->step_s = s->n > 0 ? h->step_s : 0;
  s->time = h->time + skip;
  s->used = h->used + skip;
  s->capacity = h->capacity + skip;
}

void history_days(struct history *h, int64_t newest, struct maxima *m)
{
  *m = (struct maxima){.source = MAXIMA_NONE, .n = h->n_days, .day = h->day};
  maxima_begin(h->build, h->day, days_until(&h->days, newest - 1, m->n), m->n, MAXIMA_NONE, 1);
}

void history_day_put(struct maxima *m, int64_t time, double used, double capacity)
{
  if (m->n == 0 || time <= m->day[0].start || time > m->day[m->n - 1].end)
    return;
  size_t i = (size_t)((time - 1 - m->day[0].start) / TM_DAY);
  i = i < m->n ? i : m->n - 1;
  while (time <= m->day[i].start)
    i--;
  while (time > m->day[i].end)
    i++;
  if (!isnan(used))
    m->day[i].used = used;
  if (!isnan(capacity))
    m->day[i].capacity = capacity;
}
