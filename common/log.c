/* SPDX-License-Identifier: MIT */
#include "common/log.h"

#include "common/number.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

static const char *program = "tidemark"; /* set once by main, before threads start */

void tm_log_program(const char *name)
{
  program = name;
}

__attribute__((format(printf, 2, 0))) static void say(const char *kind, const char *fmt, va_list ap)
{
  char line[2048];
  int n = snprintf(line, sizeof(line) - 1, "%s: %s", program, kind);
  if (n < 0 || (size_t)n >= sizeof(line) - 1)
    return;
  vsnprintf(line + n, sizeof(line) - 1 - (size_t)n, fmt, ap);
  size_t len = strlen(line);
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)line[i];
    if (c < 0x20 || c == 0x7f)
      line[i] = '?';
  }
  line[len++] = '\n';
  if (fwrite(line, 1, len, stderr) != len)
    return; /* nowhere left to say it */
  fflush(stderr);
}

void tm_log_error(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  say("", fmt, ap);
  va_end(ap);
}

void tm_log_warning(const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  say("warning: ", fmt, ap);
  va_end(ap);
}

int tm_log_status(int rc, const struct tm_error *err)
{
  if (rc >= 0)
    return EX_OK;
  tm_log_error("%s", err->text);
  return tm_exit_status(rc);
}

bool tm_color_wanted(int fd)
{
  const char *no = getenv("NO_COLOR");
  const char *term = getenv("TERM");
  if (no != NULL && no[0] != '\0')
    return false;
  return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0;
}

unsigned tm_terminal_columns(int fd)
{
  const char *columns = getenv("COLUMNS");
  uint64_t v = 0;
  if (columns != NULL && tm_parse_u64(columns, 20, 10000, &v) == 0)
    return (unsigned)v;
  struct winsize size;
  if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  return 0;
}
