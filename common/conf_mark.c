/* SPDX-License-Identifier: MIT */
/* Where in the files something stands, for messages. */
#include "common/conf_own.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const struct tm_mark *tm_conf_mark(const struct tm_conf_own *own, const void *what)
{
  for (size_t i = own->marks_len; i > 0; i--) {
    if (own->marks[i - 1].what == what)
      return &own->marks[i - 1];
  }
  return NULL;
}

int tm_conf_refuse(const struct tm_conf_own *own, cfg_t *section, const char *key,
                   struct tm_error *err, const char *fmt, ...)
{
  char text[384];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  const cfg_opt_t *opt = key != NULL ? cfg_getopt(section, key) : NULL;
  const struct tm_mark *mark = opt != NULL ? tm_conf_mark(own, opt) : NULL;
  if (mark == NULL)
    mark = tm_conf_mark(own, section);
  const char *title = cfg_title(section);
  return tm_fail(
      err, -EINVAL, "%s:%d: %s%s%s%s%s", mark != NULL ? mark->file : own->files[own->files_len - 1],
      mark != NULL ? mark->line : section->line, title != NULL ? cfg_name(section) : "",
      title != NULL ? " " : "", title != NULL ? title : "", title != NULL ? ": " : "", text);
}
