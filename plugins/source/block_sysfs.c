/* SPDX-License-Identifier: MIT */
#include "plugins/source/block_parts.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/number.h"
#include "common/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DEPTH = 16, MAX_ENTRIES = 4096 };

/* In sysfs a '/' of a name (cciss/c0d0) is written as '!'. */
static void sys_path(char *out, size_t size, const struct block_paths *paths, const char *name,
                     const char *file)
{
  char plain[BLOCK_NAME];
  snprintf(plain, sizeof(plain), "%s", name);
  for (char *p = plain; *p != '\0'; p++) {
    if (*p == '/')
      *p = '!';
  }
  snprintf(out, size, "%s/block/%s%s%s", paths->sys, plain, file[0] != '\0' ? "/" : "", file);
}

static bool present(const struct block_paths *paths, const char *name, const char *file)
{
  char path[4096];
  sys_path(path, sizeof(path), paths, name, file);
  return access(path, F_OK) == 0;
}

/* The cleaned text of one small file. */
static void read_text(const char *path, char *out, size_t size)
{
  out[0] = '\0';
  struct tm_buf b = TM_BUF_INIT(4096);
  if (tm_file_read(path, &b, NULL) == 0)
    tm_text_clean(out, size, b.ptr, strcspn(b.ptr, "\n"));
  tm_buf_release(&b);
}

void block_sys_text(const struct block_paths *paths, const char *file, char *out, size_t size)
{
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s", paths->sys, file);
  read_text(path, out, size);
}

void block_attribute(const struct block_paths *paths, const char *name, const char *file, char *out,
                     size_t size)
{
  char path[4096];
  sys_path(path, sizeof(path), paths, name, file);
  read_text(path, out, size);
}

uint64_t block_attribute_number(const struct block_paths *paths, const char *name, const char *file,
                                uint64_t otherwise)
{
  char text[64];
  uint64_t value = otherwise;
  block_attribute(paths, name, file, text, sizeof(text));
  tm_parse_u64(text, 0, UINT64_MAX, &value);
  return value;
}

int block_each(const struct block_paths *paths, const char *directory,
               int (*each)(const char *entry, void *user), void *user)
{
  char path[4096];
  snprintf(path, sizeof(path), "%s/%s", paths->sys, directory);
  DIR *dir = opendir(path);
  if (dir == NULL)
    return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
  int rc = 0;
  int more = 0;
  const struct dirent *e = NULL;
  for (size_t n = 0; rc == 0 && (more = tm_dir_next(dir, &e)) == 1; n++) {
    if (n == MAX_ENTRIES)
      rc = -EFBIG;
    else if (e->d_name[0] != '.')
      rc = each(e->d_name, user);
  }
  closedir(dir);
  return rc != 0 ? rc : more;
}

/* --- what is what --------------------------------------------------------------------------- */

static bool starts_with(const char *name, const char *const *prefixes)
{
  for (; *prefixes != NULL; prefixes++) {
    size_t len = strlen(*prefixes);
    if (strncmp(name, *prefixes, len) == 0 && isdigit((unsigned char)name[len]))
      return true;
  }
  return false;
}

/* Memory or a file behind it, so that it is no capacity of its own. */
static bool is_image(const char *name)
{
  static const char *const prefixes[] = {"loop", "ram", "zram", NULL};
  return starts_with(name, prefixes);
}

/* "sda1" of "sda", "nvme0n1p2" of "nvme0n1": the kernel names all partitions so. */
static bool is_partition_of(const char *name, const char *whole)
{
  size_t len = strlen(whole);
  if (len == 0 || strncmp(name, whole, len) != 0)
    return false;
  const char *rest = name + len;
  if (isdigit((unsigned char)whole[len - 1]) && *rest++ != 'p')
    return false;
  return rest[0] != '\0' && rest[strspn(rest, "0123456789")] == '\0';
}

static const struct block_disk *whole_of(const struct block_paths *paths,
                                         const struct block_disks *disks, const char *name)
{
  if (present(paths, name, ""))
    return NULL;
  for (size_t i = 0; i < disks->len; i++) {
    if (is_partition_of(name, disks->list[i].name))
      return &disks->list[i];
  }
  return NULL;
}

bool block_is_physical(const struct block_paths *paths, const struct block_disks *disks,
                       const char *name)
{
  /* Virtual disks have no device behind them. This also holds for drivers not yet written. */
  if (present(paths, name, ""))
    return present(paths, name, "device");
  /* The tree does not know it: a partition, or only the counters are there. Then by its name. */
  static const char *const virtual[] = {"loop", "ram", "zram",   "dm-", "md", "nbd",
                                        "drbd", "zd",  "bcache", "fd",  NULL};
  return !starts_with(name, virtual) && strncmp(name, "md_", 3) != 0 &&
         whole_of(paths, disks, name) == NULL;
}

struct walk {
  const struct block_paths *paths;
  const struct block_disks *disks;
  const char *base;
  int depth;
  size_t slaves;
};

static int lies_on(const struct walk *w, const char *name);
static int lies_on_image(const struct walk *w, const char *name);

static int slave_is_elsewhere(const char *entry, void *user)
{
  struct walk *w = user;
  w->slaves++;
  int rc = lies_on(w, entry);
  return rc < 0 ? rc : !rc;
}

static int lies_on(const struct walk *w, const char *name)
{
  if (strcmp(name, w->base) == 0)
    return 1;
  if (w->depth >= MAX_DEPTH)
    return 0;
  struct walk next = *w;
  next.depth++;
  next.slaves = 0;
  const struct block_disk *whole = whole_of(w->paths, w->disks, name);
  if (whole != NULL)
    return lies_on(&next, whole->name);
  char directory[BLOCK_NAME + 32];
  snprintf(directory, sizeof(directory), "block/%s/slaves", name);
  int rc = block_each(w->paths, directory, slave_is_elsewhere, &next);
  return rc < 0 ? rc : rc == 0 && next.slaves > 0;
}

int block_lies_on(const struct block_paths *paths, const struct block_disks *disks,
                  const char *name, const char *base)
{
  struct walk w = {.paths = paths, .disks = disks, .base = base};
  return lies_on(&w, name);
}

static int slave_is_image(const char *entry, void *user)
{
  return lies_on_image(user, entry);
}

static int lies_on_image(const struct walk *w, const char *name)
{
  if (is_image(name))
    return 1;
  if (w->depth >= MAX_DEPTH)
    return 0;
  struct walk next = *w;
  next.depth++;
  const struct block_disk *whole = whole_of(w->paths, w->disks, name);
  if (whole != NULL)
    return lies_on_image(&next, whole->name);
  char directory[BLOCK_NAME + 32];
  snprintf(directory, sizeof(directory), "block/%s/slaves", name);
  return block_each(w->paths, directory, slave_is_image, &next);
}

int block_lies_on_image(const struct block_paths *paths, const struct block_disks *disks,
                        const char *name)
{
  struct walk w = {.paths = paths, .disks = disks};
  return lies_on_image(&w, name);
}

/* --- identity --------------------------------------------------------------------------------- */

/* Board makers leave these where a name belongs: they tell nothing. */
static bool is_placeholder(const char *text)
{
  static const char *const none[] = {"To Be Filled By O.E.M.",
                                     "To be filled by O.E.M.",
                                     "Default string",
                                     "System Product Name",
                                     "System manufacturer",
                                     "System Serial Number",
                                     "Not Specified",
                                     "Not Applicable",
                                     "None",
                                     "0",
                                     "N/A",
                                     NULL};
  for (const char *const *n = none; *n != NULL; n++) {
    if (strcmp(text, *n) == 0)
      return true;
  }
  return false;
}

void block_identify_host(const struct block_paths *paths, struct reading *r)
{
  const struct {
    char *out;
    const char *file;
  } rows[] = {
      {r->vendor, "sys_vendor"},
      {r->model, "product_name"},
      {r->serial, "product_serial"},
      {r->firmware, "bios_version"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char file[64];
    snprintf(file, sizeof(file), "class/dmi/id/%s", rows[i].file);
    block_sys_text(paths, file, rows[i].out, READING_NAME);
    if (is_placeholder(rows[i].out))
      rows[i].out[0] = '\0';
  }
}

/* The unit serial number page of SCSI: four bytes of header, then the text. */
static void serial_from_page(const struct block_paths *paths, const char *name, char *out)
{
  char path[4096];
  sys_path(path, sizeof(path), paths, name, "device/vpd_pg80");
  struct tm_buf b = TM_BUF_INIT(4096);
  if (tm_file_read(path, &b, NULL) == 0 && b.len > 4)
    tm_text_clean(out, READING_NAME, b.ptr + 4, b.len - 4);
  tm_buf_release(&b);
}

void block_identify_disk(const struct block_paths *paths, const char *name, struct reading *r)
{
  char level[32];
  block_attribute(paths, name, "md/level", level, sizeof(level));
  if (level[0] != '\0') {
    uint64_t members = block_attribute_number(paths, name, "md/raid_disks", 0);
    snprintf(r->vendor, sizeof(r->vendor), "Linux");
    snprintf(r->model, sizeof(r->model), "md %s of %llu", level, (unsigned long long)members);
    block_attribute(paths, name, "md/uuid", r->serial, sizeof(r->serial));
    return;
  }
  block_attribute(paths, name, "device/vendor", r->vendor, sizeof(r->vendor));
  /* virtio and others keep a PCI number there */
  if (strncmp(r->vendor, "0x", 2) == 0)
    r->vendor[0] = '\0';
  block_attribute(paths, name, "device/model", r->model, sizeof(r->model));
  block_attribute(paths, name, "device/rev", r->firmware, sizeof(r->firmware));
  if (r->firmware[0] == '\0')
    block_attribute(paths, name, "device/firmware_rev", r->firmware, sizeof(r->firmware));
  block_attribute(paths, name, "device/serial", r->serial, sizeof(r->serial));
  if (r->serial[0] == '\0')
    block_attribute(paths, name, "serial", r->serial, sizeof(r->serial));
  if (r->serial[0] == '\0')
    serial_from_page(paths, name, r->serial);
}
