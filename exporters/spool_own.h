/* SPDX-License-Identifier: MIT */
#ifndef TM_SPOOL_OWN_H
#define TM_SPOOL_OWN_H

/* Between the files of the spool. Nobody else includes this. */

#include "exporters/spool.h"

#include <dirent.h>
#include <limits.h>

/* DIR/FOLDER/NAMESUFFIX, or DIR/FOLDER for an empty name. 0 or -ENAMETOOLONG. */
int spool_path(const struct spool *s, const char *folder, const char *name, const char *suffix,
               char out[PATH_MAX], struct tm_error *err);
/* Opens one of its folders; its path is for messages. The caller closes it. */
int spool_open_folder(const struct spool *s, const char *folder, char path[PATH_MAX], DIR **dir,
                      struct tm_error *err);
/* The entry that a name says; false when it is none. */
bool spool_name_parse(const char *name, struct spool_entry *e);
/* Writes e->name from the other fields, clamping the times to what a name can hold. */
void spool_name_make(struct spool_entry *e);
/* A new file, written and synced, or nothing. */
int spool_write_synced(const char *path, const void *data, size_t len, struct tm_error *err);
int spool_sync_folder(const struct spool *s, const char *folder, struct tm_error *err);

#endif
