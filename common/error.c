/* SPDX-License-Identifier: MIT */
#include "common/error.h"

#include "common/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void mask_controls(char *text)
{
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20 || c == 0x7f)
      *text = '?';
  }
}

int tm_fail(struct tm_error *err, int code, const char *fmt, ...)
{
  if (code == 0)
    code = -EIO;
  if (err == NULL)
    return code;
  va_list ap;
  va_start(ap, fmt);
  /* Into a copy: an argument may be err->text itself. */
  char text[sizeof(err->text)];
  int n = vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  if (n >= (int)sizeof(text))
    tm_text_end_whole(text, sizeof(text) - 1);
  mask_controls(text);
  memcpy(err->text, text, sizeof(text));
  err->code = code;
  return code;
}

int tm_fail_prefix(struct tm_error *err, const char *prefix)
{
  if (err == NULL)
    return -EIO;
  return tm_fail(err, err->code, "%s: %s", prefix, err->text);
}

int tm_exit_status(int code)
{
  switch (-code) {
  case 0:
    return EX_OK;
  case ENOENT:
  case ENODATA:
    return EX_NOINPUT;
  case EINVAL:
  case EBADMSG:
  case EILSEQ:
  case ERANGE:
  case EFBIG:
    return EX_DATAERR;
  case ENOSPC:
  case EDQUOT:
  case EROFS:
    return EX_CANTCREAT;
  case EACCES:
  case EPERM:
    return EX_NOPERM;
  case EAGAIN:
  case EBUSY:
  case ENOMEM:
    return EX_TEMPFAIL;
  case ETIMEDOUT:
  case ECONNREFUSED:
  case ECONNRESET:
  case EHOSTUNREACH:
  case ENETUNREACH:
    return EX_UNAVAILABLE;
  default:
    return EX_IOERR;
  }
}
