/* SPDX-License-Identifier: MIT */
#ifndef TM_SOURCE_BLOCK_PARTS_H
#define TM_SOURCE_BLOCK_PARTS_H

#include "common/error.h"
#include "plugins/reading.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The parts of the block source: the kernel's counters (block_diskstats.c), what is a disk and
 * what lies on what (block_sysfs.c), mounted file systems (block_mounts.c), how full they are
 * (block_capacity.c). Parsing takes text and is separate from reading files.
 */

#define BLOCK_NAME 48

/* Splits a line at its blanks, in place; returns how many words there are, `max` at most. */
size_t block_words(char *line, char **words, size_t max);
/* A word that is a number; false when it is none. */
bool block_number(const char *word, uint64_t max, uint64_t *value);

/* Where to look; strings are the owner's. */
struct block_paths {
  const char *proc; /* "/proc" */
  const char *sys;  /* "/sys" */
  const char *root; /* put in front of mount points; "" */
};

/* --- counters ------------------------------------------------------------------------------ */

struct block_disk { /* one line of diskstats: a disk, partition or virtual device */
  char name[BLOCK_NAME];
  unsigned major;
  unsigned minor;
  uint64_t writes; /* completed */
  double reads;    /* these may be NAN */
  double read_sectors;
  double written_sectors;
};

struct block_disks {
  struct block_disk *list;
  size_t len;
};

#define BLOCK_SECTOR 512 /* of diskstats and of /sys/block/X/size, whatever the disk's own is */

/* Lines that are not whole are left out. */
int block_disks_read(struct block_disks *out, const struct block_paths *paths,
                     struct tm_error *err);
void block_disks_release(struct block_disks *disks);
/* NULL when there is none. */
const struct block_disk *block_disks_find(const struct block_disks *disks, const char *name);
const struct block_disk *block_disks_at(const struct block_disks *disks, unsigned major,
                                        unsigned minor);

/* --- what is what --------------------------------------------------------------------------- */

/* A physical disk as a whole: no partition, array, mapping, loop or RAM disk. */
bool block_is_physical(const struct block_paths *paths, const struct block_disks *disks,
                       const char *name);
/* 1 when `name` lies wholly on `base`: it is it, a partition of it, or built of such only; 0 when
 * it does not; a negative errno where what it is built of cannot be read. */
int block_lies_on(const struct block_paths *paths, const struct block_disks *disks,
                  const char *name, const char *base);
/* The same: whether any of what `name` is built of is an image. */
int block_lies_on_image(const struct block_paths *paths, const struct block_disks *disks,
                        const char *name);

/* The first line of SYS/FILE, cleaned; "" when there is none. */
void block_sys_text(const struct block_paths *paths, const char *file, char *out, size_t size);
/* The first line of SYS/block/NAME/FILE, cleaned; "" when there is none. */
void block_attribute(const struct block_paths *paths, const char *name, const char *file, char *out,
                     size_t size);
/* The same as a number; otherwise when it is none. */
uint64_t block_attribute_number(const struct block_paths *paths, const char *name, const char *file,
                                uint64_t otherwise);
/* Calls each() for every entry of SYS/DIRECTORY; stops when it returns non-zero, and returns that.
 * 0 also when there is no such folder; a negative errno when it cannot be read to its end. */
int block_each(const struct block_paths *paths, const char *directory,
               int (*each)(const char *entry, void *user), void *user);

/* Vendor, model, serial and firmware of the host, of a disk or of an array. */
void block_identify_host(const struct block_paths *paths, struct reading *r);
void block_identify_disk(const struct block_paths *paths, const char *name, struct reading *r);

/* --- thin pools ------------------------------------------------------------------------------- */

/* How much of a thin pool's data is in use, 0..1. -EACCES and the like where only root may know. */
int block_thin_fraction(const struct block_paths *paths, const char *name, double *fraction,
                        struct tm_error *err);
/* The same from the kernel's status text. -EIO for a broken pool, -ERANGE for nonsense. */
int block_thin_parse(const char *status, double *fraction);

/* --- tape drives ------------------------------------------------------------------------------ */

bool block_is_tape(const char *name);
/* Fills a media library of one drive from SYS/class/scsi_tape/NAME. -ENODEV: there is none. */
int block_tape_read(const struct block_paths *paths, const char *name, struct reading *r);

/* --- file systems ---------------------------------------------------------------------------- */

struct block_mount {
  uint64_t id;
  unsigned major;
  unsigned minor;
  char type[32];
  char source[256];
  char *point;
};

struct block_mounts {
  struct block_mount *list;
  size_t len;
};

int block_mounts_read(struct block_mounts *out, const struct block_paths *paths,
                      struct tm_error *err);
void block_mounts_release(struct block_mounts *mounts);
/* A file system that keeps data on this host's disks: not a network mount, an image, an overlay or
 * memory. */
bool block_mount_is_capacity(const struct block_mount *m);
/* Asking this mount may wait for a network for ever: it is a network mount, or reached only
 * through one. */
bool block_mount_may_hang(const struct block_mounts *mounts, const struct block_mount *m);

/*
 * Fills capacity, used and volumes: of the host (name NULL), or of what lies on one disk. The same
 * bytes are counted once. What cannot be read stays unknown, and with it the sums; the first reason
 * is in err, 0 then too.
 */
int block_capacity(struct reading *r, const struct block_paths *paths,
                   const struct block_disks *disks, const char *name, struct tm_error *err);

#endif
