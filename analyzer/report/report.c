/* SPDX-License-Identifier: MIT */
/* The formats, and the one that needs no more than writing the line: json. */
#include "analyzer/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const struct report_format *const formats[] = {&report_table, &report_json, &report_nagios,
                                                      &report_openmetrics, &report_html};

const struct report_format *report_format_find(const char *name)
{
  for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
    if (strcmp(formats[i]->name, name) == 0)
      return formats[i];
  }
  return NULL;
}

const char *report_format_names(void)
{
  return "table, json, nagios, openmetrics, html";
}

/* Only the stream is needed between two lines. */
struct report {
  FILE *out;
};

static struct report *json_begin(const struct report_settings *settings)
{
  struct report *r = malloc(sizeof(*r));
  if (r != NULL)
    r->out = settings->out;
  return r;
}

static int json_add(struct report *r, const char *line, size_t len, const json_t *summary)
{
  (void)summary;
  errno = 0;
  if (fwrite(line, 1, len, r->out) != len || putc('\n', r->out) == EOF)
    return errno != 0 ? -errno : -EIO;
  return 0;
}

static int json_end(struct report *r, size_t unread)
{
  (void)unread;
  (void)r;
  return EX_OK;
}

static void json_free(struct report *r)
{
  free(r);
}

const struct report_format report_json = {
    .name = "json",
    .begin = json_begin,
    .add = json_add,
    .end = json_end,
    .free = json_free,
    .wants_lines = true,
};
