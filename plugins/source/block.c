/* SPDX-License-Identifier: MIT */
#include "plugins/source/block.h"

#include "common/clock.h"
#include "common/text.h"
#include "plugins/source/block_parts.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
  struct block_paths paths;
  char name[BLOCK_NAME]; /* "": the host */
  bool own_kernel;       /* /proc and /sys are of the same kernel, so that they can be compared */
};

static const char *const schemes[] = {"block", NULL};
static const char *const keys[] = {"Address", "ProcPath", "SysPath", "RootPath", NULL};

static int block_from_url(const struct ask_url *url, struct ask_settings *settings,
                          struct tm_error *err)
{
  if (url->host[0] != '\0' || url->user[0] != '\0')
    return tm_fail(err, -EINVAL, "block: takes the name of a disk, such as block:md0");
  if (ask_settings_set(settings, "Address", url->path) < 0)
    return tm_fail(err, -ENOMEM, "out of memory");
  return 0;
}

static const char *path_setting(const struct ask_settings *settings, const char *key,
                                const char *otherwise)
{
  const char *value = ask_settings_get(settings, key);
  return value != NULL ? value : otherwise;
}

/* What the kernel calls its disks: <Device "md0"> without an Address means that disk. */
static bool is_disk_name(const char *name)
{
  regex_t pattern;
  if (regcomp(&pattern,
              "^([shv]d[a-z]+|xvd[a-z]+|(md|dm-|loop|ram|zram|nbd|sr|n?st|mmcblk)[0-9]+|"
              "nvme[0-9]+n[0-9]+)$",
              REG_EXTENDED | REG_NOSUB) != 0)
    return false;
  bool matches = regexec(&pattern, name, 0, NULL, 0) == 0;
  regfree(&pattern);
  return matches;
}

static const char *wanted_disk(const struct ask_settings *settings)
{
  const char *address = ask_settings_get(settings, "Address");
  const char *device = ask_settings_get(settings, "Device");
  if (address != NULL)
    return strncmp(address, "/dev/", 5) == 0 ? address + 5 : address;
  return device != NULL && is_disk_name(device) ? device : "";
}

static bool block_to_url(const struct ask_settings *settings, char *url, size_t size)
{
  int n = snprintf(url, size, "block:%s", wanted_disk(settings));
  return n > 0 && (size_t)n < size;
}

static int block_open(void **device, void *shared, const struct ask_settings *settings,
                      struct tm_error *err)
{
  (void)shared;
  const char *name = wanted_disk(settings);
  if (strlen(name) >= BLOCK_NAME || name[0] == '.' || strstr(name, "..") != NULL ||
      name[strcspn(name, " \t\n")] != '\0')
    return tm_fail(err, -EINVAL, "'%s' is not the name of a disk, such as md0 or sda", name);
  struct block *b = calloc(1, sizeof(*b));
  if (b == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  b->paths.proc = path_setting(settings, "ProcPath", "/proc");
  b->paths.sys = path_setting(settings, "SysPath", "/sys");
  b->paths.root = path_setting(settings, "RootPath", "");
  b->own_kernel = (strcmp(b->paths.proc, "/proc") == 0) == (strcmp(b->paths.sys, "/sys") == 0);
  snprintf(b->name, sizeof(b->name), "%s", name);
  *device = b;
  return 0;
}

static void block_close(void *device)
{
  free(device);
}

/* --- counters ------------------------------------------------------------------------------ */

struct sums {
  double reads;
  double read_bytes;
  double writes;
  double written_bytes;
  unsigned disks;
};

static int count_disk(const struct block *b, const struct block_disk *d, struct ask_job *job,
                      struct sums *sums)
{
  struct reading_counter *c = reading_add_counter(&job->reading);
  if (c == NULL)
    return tm_fail(&job->reading.error, -ENOMEM, "out of memory");
  snprintf(c->name, sizeof(c->name), "%s", d->name);
  c->value = d->writes;
  /* The kernel's longs: 64 bits nearly everywhere, 32 on small devices; it does not say. */
  c->bits = 0;
  /* Counts the disks that were ever made, and media: a drive that stays while its medium changes
   * goes on counting. */
  if (block_attribute_number(&b->paths, d->name, "removable", 0) == 0)
    c->epoch = block_attribute_number(&b->paths, d->name, "diskseq", 0);
  sums->reads += d->reads;
  sums->read_bytes += d->read_sectors * BLOCK_SECTOR;
  sums->writes += (double)d->writes;
  sums->written_bytes += d->written_sectors * BLOCK_SECTOR;
  sums->disks++;
  return 0;
}

static int count_named(const struct block *b, const struct block_disks *disks, struct ask_job *job,
                       struct sums *sums)
{
  const struct block_disk *d = block_disks_find(disks, b->name);
  if (d == NULL)
    return tm_fail(&job->reading.error, -ENODEV, "%s: no such disk", b->name);
  if (b->own_kernel && block_attribute_number(&b->paths, b->name, "size", 1) == 0)
    return tm_fail(&job->reading.error, -ENOMEDIUM, "%s: nothing is in or behind it", b->name);
  return count_disk(b, d, job, sums);
}

static int count_physical(const struct block *b, const struct block_disks *disks,
                          struct ask_job *job, struct sums *sums)
{
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < disks->len; i++) {
    if (block_is_physical(&b->paths, disks, disks->list[i].name))
      rc = count_disk(b, &disks->list[i], job, sums);
  }
  return rc;
}

static int read_counters(const struct block *b, struct block_disks *disks, struct ask_job *job)
{
  struct reading *r = &job->reading;
  struct sums sums = {0};
  double before = ask_wall_clock();
  int rc = block_disks_read(disks, &b->paths, &r->error);
  double after = ask_wall_clock();
  if (rc == 0)
    rc = b->name[0] != '\0' ? count_named(b, disks, job, &sums)
                            : count_physical(b, disks, job, &sums);
  if (rc < 0)
    return rc;
  job->asked_at = before;
  job->answered_at = after;
  r->observed_at = (int64_t)after;
  if (sums.disks == 0) /* a host without a disk of its own (diskless, container): not told */
    return 0;
  r->reads = sums.reads;
  r->read_bytes = sums.read_bytes;
  r->transfers = sums.writes;
  r->write_bytes = sums.written_bytes;
  ask_explain(job, "transfers", "%s/diskstats, writes completed, of %u disk%s", b->paths.proc,
              sums.disks, sums.disks == 1 ? "" : "s");
  return 0;
}

/* --- the rest --------------------------------------------------------------------------------- */

static void read_rest(const struct block *b, const struct block_disks *disks, struct ask_job *job)
{
  struct reading *r = &job->reading;
  const char *name = b->name[0] != '\0' ? b->name : NULL;
  if (name != NULL)
    block_identify_disk(&b->paths, name, r);
  else
    block_identify_host(&b->paths, r);
  ask_explain(job, "model", "%s/%s%s", b->paths.sys, name != NULL ? "block/" : "class/dmi/id",
              name != NULL ? name : "");
  int rc = block_capacity(r, &b->paths, disks, name, &r->error);
  const char *where = "statvfs of the local file systems";
  if (rc == 0 && name != NULL && r->volumes_len == 0 && r->error.code == 0) {
    /* No file system lies wholly on it: it is as large as it is, and how full, nobody says. */
    uint64_t sectors = block_attribute_number(&b->paths, name, "size", 0);
    r->capacity_bytes = sectors > 0 ? (double)sectors * BLOCK_SECTOR : NAN;
    where = "the size of the block device";
  }
  ask_explain(job, "capacity_bytes", "%s", where);
}

static void ask_tape(const struct block *b, struct ask_job *job)
{
  double before = ask_wall_clock();
  if (block_tape_read(&b->paths, b->name, &job->reading) < 0)
    return;
  job->asked_at = before;
  job->answered_at = ask_wall_clock();
  job->reading.observed_at = (int64_t)job->answered_at;
  ask_explain(job, "transfers", "%s/class/scsi_tape/%s/stats/write_cnt", b->paths.sys, b->name);
}

static void ask_one(struct ask_job *job)
{
  const struct block *b = ask_job_device(job);
  struct block_disks disks = {0};
  struct reading *r = &job->reading;
  snprintf(r->profile, sizeof(r->profile), "block");
  if (block_is_tape(b->name)) {
    ask_tape(b, job);
    ask_done(job);
    return;
  }
  int rc = read_counters(b, &disks, job);
  if (rc == 0 && job->part == ASK_EVERYTHING)
    read_rest(b, &disks, job);
  block_disks_release(&disks);
  ask_done(job);
}

static void put_items(struct ask_job *job)
{
  for (const char *const *name = job->items; name != NULL && *name != NULL; name++) {
    struct reading_item *item = reading_add_item(&job->reading);
    if (item == NULL)
      break;
    tm_text_clean(item->name, sizeof(item->name), *name, strlen(*name));
    snprintf(item->state, sizeof(item->state), "not-offered");
  }
}

static void block_ask(struct ask_job *const *jobs, size_t jobs_len)
{
  for (size_t i = 0; i < jobs_len; i++) {
    if (jobs[i]->part == ASK_ITEMS) {
      snprintf(jobs[i]->reading.profile, READING_NAME, "block");
      jobs[i]->reading.observed_at = tm_now();
      put_items(jobs[i]);
      ask_done(jobs[i]);
    } else {
      ask_one(jobs[i]);
    }
  }
}

const struct ask_source source_block = {
    .name = "block",
    .schemes = schemes,
    .keys = keys,
    .from_url = block_from_url,
    .to_url = block_to_url,
    .open = block_open,
    .close = block_close,
    .ask = block_ask,
};
