/* SPDX-License-Identifier: MIT */
#ifndef TM_ERROR_H
#define TM_ERROR_H

/*
 * One error, told once. Whoever knows the detail fills it with tm_fail(); whoever stands at the
 * top (main, a read callback) prints it. Nothing in between logs.
 */
struct tm_error {
  int code;       /* negative errno, 0 when nothing happened */
  char text[512]; /* one line, no newline, "what: why" with the file, line, device or key */
};

/*
 * Fills err (which may be NULL) and returns code, so that `return tm_fail(err, -EINVAL, ...)`
 * is the whole error path. A text that is too long is cut; control bytes become '?', so that a
 * hostile name cannot forge a log line. code 0 is taken as -EIO: a failure never looks like
 * success.
 */
int tm_fail(struct tm_error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " in front of the text. Returns err->code. */
int tm_fail_prefix(struct tm_error *err, const char *prefix);

/* The sysexits.h status that fits a negative errno: 0 -> EX_OK, -ENOENT -> EX_NOINPUT, ... */
int tm_exit_status(int code);

#endif
