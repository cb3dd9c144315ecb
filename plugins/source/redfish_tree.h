/* SPDX-License-Identifier: MIT */
#ifndef TM_REDFISH_TREE_H
#define TM_REDFISH_TREE_H

#include "plugins/reading.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What the documents of a Redfish or Swordfish service say about its storage, without asking
 * anybody: documents go in one by one, in the end a reading comes out.
 *
 * - Pools fill up, so they are the capacity; where there are none, volumes are; bare drives are
 *   not. Each byte is counted in one layer: of a pool and those built on it, the upper ones where
 *   they take nearly all of it (disk groups, which many services list beside their pools), else the
 *   lower one, which serves others too. A volume that others are built on is not counted, nor is a
 *   raw device that is a drive of another volume.
 * - Two controllers that serve the same enclosure list the same resources: those with equal world
 *   wide names or serial numbers as their ids are one. Short ids ("1") are unique within their
 *   collection only.
 * - A transfer is a completed write (IOStatistics.WriteIORequests, of an NVMe drive
 *   NVMeSMART.HostWriteCommands), in the document itself or in its Metrics: the sum over the drives
 *   where each tells it, else over pools, else over volumes. Hits of the cache are not all writes.
 *   Bytes are taken only where they fit their number of requests: there are services that put
 *   bytes into fields of KiB.
 */

struct redfish_store { /* a pool, a volume or a drive */
  char *path;          /* of its URL, without a slash at the end */
  char *counted;       /* of the document that has its counters; NULL: path */
  char id[READING_NAME];
  char name[READING_NAME];
  char storage[READING_NAME]; /* the storage subsystem that it belongs to */
  double capacity_bytes;
  double used_bytes;
  double writes;
  double reads;
  double write_bytes;
  double read_bytes;
  char **sources; /* paths of the pools, volumes and drives that it is built on */
  size_t sources_len;
  bool raw;                    /* a volume that is a drive as it stands */
  double upper_bytes;          /* of a pool: of those that are built on it */
  bool provides;               /* there are such */
  bool layer;                  /* its bytes are counted elsewhere */
  struct reading_drive *drive; /* of a drive: what is told of it; else NULL */
};

struct redfish_stores {
  struct redfish_store *list;
  size_t len;
};

/* A text that several documents tell: kept while they agree. */
struct redfish_text {
  char text[READING_NAME];
  bool disputed;
};

struct redfish_tree {
  struct redfish_stores pools;
  struct redfish_stores volumes;
  struct redfish_stores drives;
  struct redfish_stores counters; /* read alone, instead of all of those */
  struct redfish_text vendor;
  struct redfish_text model;
  struct redfish_text serial;
  struct redfish_text firmware;
  bool uncounted;        /* counters of a pool or volume could not be read: none are told */
  bool drives_uncounted; /* those of a drive */
  bool drives_unknown;   /* not all drives could be read: none is told */
};

#define REDFISH_VOLUMES_MAX 10000
#define REDFISH_POOLS_MAX   1000
#define REDFISH_DRIVES_MAX  10000
#define REDFISH_SOURCES_MAX 64 /* of one pool or volume; further ones are left out */

/* What was found, and where. */
struct redfish_found {
  const char *path;
  const char *storage; /* the subsystem that it belongs to, "" for none */
  const json_t *doc;
  const json_t *metrics; /* its Metrics document; NULL: none was read */
  const char *metrics_path;
};

/* 0, -ENOMEM, -EFBIG (more than are accepted) or -EINVAL (not a JSON object). A second look at the
 * same thing is ignored, and so is a drive's place with no drive in it. */
int redfish_tree_add_pool(struct redfish_tree *t, const struct redfish_found *f);
int redfish_tree_add_volume(struct redfish_tree *t, const struct redfish_found *f);
int redfish_tree_add_drive(struct redfish_tree *t, const struct redfish_found *f);
/* A document that told counters in an earlier walk, whatever it is. */
int redfish_tree_add_counters(struct redfish_tree *t, const struct redfish_found *f);
/* Moves the counters of another tree to this one. 0, -ENOMEM or -EFBIG. */
int redfish_tree_take_counters(struct redfish_tree *t, struct redfish_tree *from);
/* True when the document has counters of its own, so that its Metrics need not be read. */
bool redfish_tree_has_counters(const json_t *doc);

/* Identity, of the service root, a computer system and a storage subsystem. */
void redfish_tree_add_root(struct redfish_tree *t, const json_t *doc);
void redfish_tree_add_system(struct redfish_tree *t, const json_t *doc);
void redfish_tree_add_storage(struct redfish_tree *t, const json_t *doc);

/* Fills the reading of a disk array. complete: all pools and volumes were seen; else the totals
 * are unknown, for a part of them would look like a shrunken device. 0 or -ENOMEM. */
int redfish_tree_tell(struct redfish_tree *t, bool complete, struct reading *r);
/* Whose counters the transfers are the sum of; NULL: no transfers are told. After
 * redfish_tree_tell(). */
const struct redfish_stores *redfish_tree_counted(const struct redfish_tree *t);
void redfish_tree_release(struct redfish_tree *t);

#endif
