/* SPDX-License-Identifier: MIT */
/*
 * members FILE.csv DAY...: for fit_pool.py. Prints a line a series that has a curve: its number,
 * the shape of its history, then what each member says at each horizon.
 */
#include "analyzer/forecast/forecast.c" /* reaches the workspace */
#include "analyzer/forecast_csv.h"

#define FIRST_ROWS 0.05 /* as in passage.c: the curve rises from here */

struct print {
  struct forecast_work *work;
  char **day;
  int n;
  size_t number;
};

static void print_members(const struct forecast_work *w, double rows)
{
  double part = 1;
  if (rows < 1) {
    part = fmax(log(rows / FIRST_ROWS) / log(1 / FIRST_ROWS), 0);
    rows = 1;
  }
  double member[FC_MEMBERS];
  ask_members(w, rows, member);
  for (int m = 0; m < FC_MEMBERS; m++)
    printf(" %.6g", part * member[m]);
}

static int take(void *context, struct forecast_csv_series *s, struct tm_error *err)
{
  struct print *p = context;
  struct forecast_series rows = {s->time, s->used, s->capacity, s->n};
  struct forecast_params params = FORECAST_PARAMS_INIT;
  struct forecast_result r;
  double shape[FC_SHAPES];
  int rc = forecast_run(p->work, &rows, &params, &r, err);
  p->number++;
  if (rc < 0 || r.n_nodes < 2)
    return rc;
  fc_shape(shape, &p->work->grid);
  printf("%zu", p->number - 1);
  for (int i = 0; i < FC_SHAPES; i++)
    printf(" %.6g", shape[i]);
  for (int i = 0; i < p->n; i++)
    print_members(p->work, atof(p->day[i]) / p->work->grid.step_days);
  putchar('\n');
  return 0;
}

static int refuse(void *context, const char *what, struct tm_error *err)
{
  (void)context;
  return tm_fail(err, -EBADMSG, "%s", what);
}

int main(int argc, char **argv)
{
  struct print p = {forecast_work_new(), argv + 2, argc - 2, 0};
  struct forecast_csv_taker taker = {take, refuse, &p};
  struct tm_error err = {0};
  FILE *in = argc > 2 ? fopen(argv[1], "re") : NULL;
  bool good = in != NULL && p.work != NULL && forecast_csv_read(in, argv[1], &taker, &err) >= 0;
  if (!good)
    fprintf(stderr, "members: %s\n", err.code < 0 ? err.text : "cannot start");
  if (in != NULL)
    fclose(in);
  forecast_work_free(p.work);
  return good ? 0 : 1;
}
