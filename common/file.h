/* SPDX-License-Identifier: MIT */
#ifndef TM_FILE_H
#define TM_FILE_H

#include "common/buf.h"
#include "common/error.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * Reading: only regular files, never through a symbolic link in the last place, never blocking
 * on a FIFO or device. Writing: a temporary name beside the target, fsync, rename, fsync of the
 * folder, so that a reader sees the old file or the whole new one and a power cut loses neither.
 */

/* Opens path for reading. The descriptor (the caller closes it), or a negative errno with the
 * reason in err ("PATH: is a FIFO, not a regular file"). st, when not NULL, gets its status. */
int tm_file_open(const char *path, struct stat *st, struct tm_error *err);
/* The same beside an open folder; its path stands before the name in messages ("" for none). flags
 * are added to those of open: 0, or O_NOATIME, which a file of somebody else refuses by -EPERM. */
int tm_file_open_at(int folder_fd, const char *folder, const char *name, int flags, struct stat *st,
                    struct tm_error *err);

/* Appends the whole file to b, which is "" and not NULL after an empty one; -EFBIG when it is
 * larger than b may become. On failure b holds what it held. */
int tm_file_read(const char *path, struct tm_buf *b, struct tm_error *err);
/* The same of an open file, which the caller closes; path is for messages. */
int tm_file_read_fd(int fd, const char *path, struct tm_buf *b, struct tm_error *err);
/* Appends standard input to its end: -EFBIG beyond the limit of b, -EIO when it cannot be read. */
int tm_file_read_input(struct tm_buf *b, struct tm_error *err);

/* Writes the file atomically with this mode (umask does not apply). */
int tm_file_write(const char *path, const void *data, size_t len, mode_t mode,
                  struct tm_error *err);

/* False only where there is certainly nothing. Of what cannot be looked at, whoever opens it will
 * tell why. */
bool tm_path_is_there(const char *path);

/* The next entry of a folder, but for "." and "..": 1; 0 at its end; a negative errno where the
 * rest cannot be read. */
int tm_dir_next(DIR *dir, const struct dirent **entry);

/* fsync of a folder, after a rename or unlink in it. */
int tm_dir_sync(const char *path, struct tm_error *err);

/* mkdir -p. Folders that are there already are left as they are. */
int tm_dir_make(const char *path, mode_t mode, struct tm_error *err);

/* True when a name from outside may be one component of a path: not empty, not "." or "..", no '/',
 * no control byte, at most 255 bytes. */
bool tm_file_name_is_safe(const char *name);

/*
 * An atomic file that is written as a stream, or standard output.
 * path NULL or "-": standard output; commit then only flushes and checks it. A path that is a
 * device or FIFO (/dev/null) is written as it is.
 */
struct tm_output {
  FILE *stream; /* write here */
  char *path;   /* NULL: standard output or a device, which is not renamed into place */
  char *temporary;
  char *buffer; /* the stream's; NULL: its own */
};
int tm_output_open(struct tm_output *out, const char *path, mode_t mode, struct tm_error *err);
/* Lets the disk begin with what was written so far, so that the commit of a long report waits for
 * the rest alone. Threads may call it while others write. */
void tm_output_ahead(struct tm_output *out);
/* Makes the file visible. On failure the old file stands and nothing half-written is left. */
int tm_output_commit(struct tm_output *out, struct tm_error *err);
/* Gives up what was not committed; harmless after a commit and twice. */
/* What errno says of a write into the stream that has failed, with the output's name. */
int tm_output_failed(const struct tm_output *out, struct tm_error *err);
void tm_output_release(struct tm_output *out);

#endif
