/* SPDX-License-Identifier: MIT */
#include "plugins/source/block_parts.h"

#include "common/file.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/*
 * The kernel shows one file system many times: bind mounts and btrfs subvolumes carry one device
 * number in mountinfo, data sets of a ZFS pool and thin LVs draw on one pool. `pool` is what is
 * counted once.
 */
struct pool {
  char key[READING_NAME + 16];
  char name[READING_NAME];
  double free;  /* the most that any of its file systems still sees */
  double used;  /* the sum of what they hold, or NAN */
  double fixed; /* its capacity where the kernel tells it, else NAN */
};

struct tally {
  const struct block_paths *paths;
  const struct block_disks *disks;
  const struct block_mounts *mounts;
  const char *wanted; /* NULL: the host */
  struct pool *pools;
  size_t pools_len;
  bool lacking; /* something that counts, or may count, could not be read */
  struct tm_error *err;
};

/* The sums are unknown from now on; why is told unless something else was before. */
static void miss(struct tally *t, int code, const char *what)
{
  t->lacking = true;
  if (t->err->code == 0)
    tm_fail(t->err, code, "%s: %s", what, strerror(-code));
}

/* --- the devices of a file system ----------------------------------------------------------- */

struct mapping {
  const struct tally *t;
  const char *wanted; /* a name of the device mapper */
  char *out;
};

static int is_mapping(const char *entry, void *user)
{
  struct mapping *m = user;
  char name[256];
  if (strncmp(entry, "dm-", 3) != 0)
    return 0;
  block_attribute(m->t->paths, entry, "dm/name", name, sizeof(name));
  if (strcmp(name, m->wanted) != 0)
    return 0;
  snprintf(m->out, BLOCK_NAME, "%s", entry);
  return 1;
}

/* The kernel's name of the device that a mount tells; "" when there is none. 0, or a negative errno
 * when it cannot be found out. */
static int device_of(const struct tally *t, const struct block_mount *m, char out[BLOCK_NAME])
{
  const struct block_disk *d = m->major != 0 ? block_disks_at(t->disks, m->major, m->minor) : NULL;
  out[0] = '\0';
  if (d != NULL) {
    snprintf(out, BLOCK_NAME, "%s", d->name);
    return 0;
  }
  if (strncmp(m->source, "/dev/", 5) != 0)
    return 0;
  int rc = 0;
  const char *base = strrchr(m->source, '/') + 1;
  if (block_disks_find(t->disks, base) != NULL)
    snprintf(out, BLOCK_NAME, "%s", base);
  else
    rc = block_each(t->paths, "block", is_mapping, &(struct mapping){t, base, out});
  return rc < 0 ? rc : 0;
}

struct members { /* of a btrfs */
  const struct tally *t;
  const char *device;
  int (*holds)(const struct tally *t, const char *device);
  bool found;
};

static int member_fails(const char *entry, void *user)
{
  const struct members *m = user;
  int rc = m->holds(m->t, entry);
  return rc < 0 ? rc : !rc;
}

static int visit_btrfs(const char *uuid, void *user)
{
  struct members *m = user;
  char path[4096];
  snprintf(path, sizeof(path), "%s/fs/btrfs/%s/devices/%s", m->t->paths->sys, uuid, m->device);
  if (!tm_path_is_there(path))
    return 0;
  m->found = true;
  snprintf(path, sizeof(path), "fs/btrfs/%s/devices", uuid);
  return block_each(m->t->paths, path, member_fails, m);
}

static int is_on_wanted(const struct tally *t, const char *device)
{
  return block_lies_on(t->paths, t->disks, device, t->wanted);
}

static int is_no_image(const struct tally *t, const char *device)
{
  int rc = block_lies_on_image(t->paths, t->disks, device);
  return rc < 0 ? rc : !rc;
}

/* Does this file system belong to what was asked for? All of its devices must. 1, 0, or a negative
 * errno when it cannot be found out. */
static int belongs(const struct tally *t, const struct block_mount *m, const char *device)
{
  int (*holds)(const struct tally *, const char *) = t->wanted != NULL ? is_on_wanted : is_no_image;
  if (device[0] == '\0')
    return t->wanted == NULL;
  struct members all = {t, device, holds, false};
  int rc = strcmp(m->type, "btrfs") == 0 ? block_each(t->paths, "fs/btrfs", visit_btrfs, &all) : 0;
  if (rc != 0)
    return rc < 0 ? rc : 0;
  return all.found ? 1 : holds(t, device);
}

/* --- asking the file system -------------------------------------------------------------- */

/* 0, -ESTALE when another mount covers this one, or what the kernel says. */
static int ask_mount(const struct tally *t, const struct block_mount *m, struct statvfs *st)
{
  char path[8192];
  snprintf(path, sizeof(path), "%s%s", t->paths->root, m->point);
  /* O_PATH: the file system is named, not opened. */
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0)
    return -errno;
  int rc = 0;
#ifdef STATX_MNT_ID
  struct statx sx;
  bool own = strcmp(t->paths->proc, "/proc") == 0;
  if (own && statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &sx) == 0 &&
      (sx.stx_mask & STATX_MNT_ID) != 0 && sx.stx_mnt_id != m->id)
    rc = -ESTALE;
#endif
  if (rc == 0 && fstatvfs(fd, st) < 0)
    rc = -errno;
  close(fd);
  return rc;
}

/* Shorter first, then by name: the same choice at every reading. */
static bool is_before(const char *a, const char *b)
{
  size_t la = strlen(a);
  size_t lb = strlen(b);
  return la != lb ? la < lb : strcmp(a, b) < 0;
}

/* The first usable path to the file system of m that comes after `after` (NULL: the first). */
static const struct block_mount *next_path(const struct tally *t, const struct block_mount *m,
                                           const struct block_mount *after)
{
  const struct block_mount *best = NULL;
  for (size_t i = 0; i < t->mounts->len; i++) {
    const struct block_mount *other = &t->mounts->list[i];
    if (other->major == m->major && other->minor == m->minor &&
        (after == NULL || is_before(after->point, other->point)) &&
        (best == NULL || is_before(other->point, best->point)) &&
        !block_mount_may_hang(t->mounts, other))
      best = other;
  }
  return best;
}

/* Asks through the shortest path that leads there and cannot hang; NULL when none does. */
static const struct block_mount *ask_same(struct tally *t, const struct block_mount *m,
                                          struct statvfs *st)
{
  const struct block_mount *path = next_path(t, m, NULL);
  int rc = path != NULL ? ask_mount(t, path, st) : -ESTALE;
  bool refused = false;
  while (path != NULL && rc < 0) {
    refused = refused || rc != -ESTALE;
    if (rc != -ESTALE && t->err->code == 0)
      tm_fail(t->err, rc, "%s: %s", path->point, strerror(-rc));
    path = next_path(t, m, path);
    rc = path != NULL ? ask_mount(t, path, st) : -ESTALE;
  }
  t->lacking = t->lacking || (path == NULL && refused);
  return path;
}

/* --- pools -------------------------------------------------------------------------------- */

struct thin {
  const struct tally *t;
  char pool[BLOCK_NAME];
  bool snapshot;
};

static int visit_slave(const char *entry, void *user)
{
  struct thin *thin = user;
  char uuid[256];
  block_attribute(thin->t->paths, entry, "dm/uuid", uuid, sizeof(uuid));
  size_t len = strlen(uuid);
  if (len > 6 && strcmp(uuid + len - 6, "-tpool") == 0)
    snprintf(thin->pool, sizeof(thin->pool), "%s", entry);
  thin->snapshot = thin->snapshot || (len > 4 && strcmp(uuid + len - 4, "-cow") == 0);
  return 0;
}

static struct pool *find_pool(struct tally *t, const char *key)
{
  for (size_t i = 0; i < t->pools_len; i++) {
    if (strcmp(t->pools[i].key, key) == 0)
      return &t->pools[i];
  }
  struct pool *list = realloc(t->pools, (t->pools_len + 1) * sizeof(*list));
  if (list == NULL)
    return NULL;
  t->pools = list;
  struct pool *p = &list[t->pools_len++];
  *p = (struct pool){.fixed = NAN};
  snprintf(p->key, sizeof(p->key), "%s", key);
  return p;
}

static void add_to_pool(struct pool *p, const struct statvfs *st, const char *name)
{
  double unit = (double)(st->f_frsize > 0 ? st->f_frsize : st->f_bsize);
  double left = (double)st->f_bfree * unit;
  p->used += (double)st->f_blocks * unit - left;
  p->free = left > p->free ? left : p->free;
  if (p->name[0] == '\0')
    tm_text_clean(p->name, sizeof(p->name), name, strlen(name));
}

/* What its volumes believe to have is more than there is: the pool itself is what fills up. */
static void count_thin(struct tally *t, const char *pool)
{
  char key[BLOCK_NAME + 8];
  char name[READING_NAME];
  snprintf(key, sizeof(key), "thin:%s", pool);
  struct pool *p = find_pool(t, key);
  if (p == NULL)
    miss(t, -ENOMEM, pool);
  if (p == NULL || p->name[0] != '\0')
    return;
  block_attribute(t->paths, pool, "dm/name", name, sizeof(name));
  size_t len = strlen(name);
  if (len > 6 && strcmp(name + len - 6, "-tpool") == 0)
    name[len - 6] = '\0';
  snprintf(p->name, sizeof(p->name), "%s", name[0] != '\0' ? name : pool);
  uint64_t sectors = block_attribute_number(t->paths, pool, "size", 0);
  double fraction = NAN;
  struct tm_error err = {0};
  if (block_thin_fraction(t->paths, pool, &fraction, &err) < 0 && t->err->code == 0)
    *t->err = err;
  p->fixed = sectors > 0 ? (double)sectors * BLOCK_SECTOR : NAN;
  p->used = p->fixed * fraction;
}

static void count_mount(struct tally *t, const struct block_mount *m)
{
  char device[BLOCK_NAME];
  char key[READING_NAME + 16];
  struct statvfs st = {0};
  int rc = device_of(t, m, device);
  if (rc == 0)
    rc = belongs(t, m, device);
  if (rc == 0)
    return;
  struct thin thin = {.t = t};
  if (rc > 0 && device[0] != '\0') {
    char directory[BLOCK_NAME + 32];
    snprintf(directory, sizeof(directory), "block/%s/slaves", device);
    rc = block_each(t->paths, directory, visit_slave, &thin);
  }
  if (rc < 0) {
    miss(t, rc, m->point);
    return;
  }
  if (thin.snapshot) /* its origin has the bytes */
    return;
  if (thin.pool[0] != '\0') {
    count_thin(t, thin.pool);
    return;
  }
  const struct block_mount *through = ask_same(t, m, &st);
  if (through == NULL || st.f_blocks == 0)
    return;
  bool zfs = strcmp(m->type, "zfs") == 0;
  char pool[READING_NAME];
  snprintf(pool, sizeof(pool), "%.*s", (int)strcspn(m->source, "/"), m->source);
  if (zfs)
    snprintf(key, sizeof(key), "zfs:%s", pool);
  else
    snprintf(key, sizeof(key), "%u:%u", m->major, m->minor);
  struct pool *p = find_pool(t, key);
  if (p == NULL)
    miss(t, -ENOMEM, m->point);
  else
    add_to_pool(p, &st, zfs ? pool : through->point);
}

static bool seen_before(const struct block_mounts *mounts, size_t at)
{
  const struct block_mount *m = &mounts->list[at];
  for (size_t i = 0; i < at; i++) {
    if (mounts->list[i].major == m->major && mounts->list[i].minor == m->minor)
      return true;
  }
  return false;
}

static int put_pools(struct reading *r, const struct tally *t)
{
  double capacity = 0;
  double used = 0;
  for (size_t i = 0; i < t->pools_len; i++) {
    const struct pool *p = &t->pools[i];
    struct reading_volume *v = reading_add_volume(r);
    if (v == NULL)
      return -ENOMEM;
    snprintf(v->name, sizeof(v->name), "%s", p->name);
    snprintf(v->id, sizeof(v->id), "%.*s", READING_ID - 1, p->key);
    v->used_bytes = p->used;
    v->capacity_bytes = isnan(p->fixed) ? p->used + p->free : p->fixed;
    capacity += v->capacity_bytes;
    used += v->used_bytes;
  }
  if (t->pools_len > 0 && !t->lacking) {
    r->capacity_bytes = capacity;
    r->used_bytes = used;
  }
  return 0;
}

int block_capacity(struct reading *r, const struct block_paths *paths,
                   const struct block_disks *disks, const char *name, struct tm_error *err)
{
  struct block_mounts mounts = {0};
  struct tm_error first = {0};
  struct tally t = {paths, disks, &mounts, name, NULL, 0, false, &first};
  int rc = block_mounts_read(&mounts, paths, err);
  if (rc < 0)
    return rc;
  for (size_t i = 0; i < mounts.len; i++) {
    if (block_mount_is_capacity(&mounts.list[i]) && !seen_before(&mounts, i))
      count_mount(&t, &mounts.list[i]);
  }
  rc = put_pools(r, &t);
  if (rc < 0)
    tm_fail(err, rc, "out of memory");
  else if (first.code != 0 && err != NULL)
    *err = first;
  free(t.pools);
  block_mounts_release(&mounts);
  return rc;
}
