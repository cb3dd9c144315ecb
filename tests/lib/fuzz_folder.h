/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_FUZZ_FOLDER_H
#define TM_TESTS_FUZZ_FOLDER_H

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A folder for fuzz targets of readers that want a file: of the target's own, in memory where the
 * system has such a place (what is read a million times need not reach a disk), and removed at the
 * end of the process.
 */
static char fuzz_folder_name[64];

static inline void fuzz_folder_remove(void)
{
  char command[128];
  snprintf(command, sizeof(command), "rm -rf %s", fuzz_folder_name);
  if (system(command) != 0)
    perror(fuzz_folder_name);
}

/* Made at the first call. */
static inline const char *fuzz_folder(void)
{
  if (fuzz_folder_name[0] == '\0') {
    snprintf(fuzz_folder_name, sizeof(fuzz_folder_name), "%s/tidemark-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(fuzz_folder_name) == NULL)
      abort();
    atexit(fuzz_folder_remove);
  }
  return fuzz_folder_name;
}

/* The path of a name in it, in a buffer of the caller's. Returns out. */
static inline char *fuzz_path(char out[PATH_MAX], const char *name)
{
  snprintf(out, PATH_MAX, "%s/%s", fuzz_folder(), name);
  return out;
}

/* A folder in it, whose parent is there. */
static inline void fuzz_dir(const char *name)
{
  char path[PATH_MAX];
  if (mkdir(fuzz_path(path, name), 0700) < 0)
    abort();
}

/* Writes a file in it, readable for its owner alone. */
static inline void fuzz_file(const char *name, const void *data, size_t size)
{
  char path[PATH_MAX];
  int fd = open(fuzz_path(path, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) < 0)
    abort();
}

#endif
