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
 * - Pools fill up, so they are the capacity; where there are none, volumes are. A pool that another
 *   one is built on (disk groups, which many services list beside their pools) is not counted.
 * - Two controllers that serve the same enclosure list the same resources: those with equal long
 *   ids are one. Short ids ("1") are unique within their collection only.
 * - A transfer is a completed write (IOStatistics.WriteIORequests). Hits of the cache are not all
 *   writes. Bytes are taken only where they fit their number of requests: there are services that
 *   put bytes into fields of KiB.
 */

struct redfish_store { /* a pool or a volume */
  char *path;          /* of its URL, without a slash at the end */
  char id[READING_NAME];
  char name[READING_NAME];
  char storage[READING_NAME]; /* the storage subsystem that it belongs to */
  double capacity_bytes;
  double used_bytes;
  double writes;
  double reads;
  double write_bytes;
  double read_bytes;
  char **sources; /* paths of the pools that it is built on */
  size_t sources_len;
  bool provides; /* another pool is built on it */
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
  struct redfish_text vendor;
  struct redfish_text model;
  struct redfish_text serial;
  struct redfish_text firmware;
};

#define REDFISH_VOLUMES_MAX 10000
#define REDFISH_POOLS_MAX   1000
#define REDFISH_SOURCES_MAX 64 /* of one pool or volume; further ones are left out */

/* Document `doc` was found at `path` within the subsystem `storage`. 0, -ENOMEM, -EFBIG (more than
 * are accepted) or -EINVAL (not a JSON object). A second look at the same thing is ignored.
 */
int redfish_tree_add_pool(struct redfish_tree *t, const char *path, const char *storage,
                          const json_t *doc);
int redfish_tree_add_volume(struct redfish_tree *t, const char *path, const char *storage,
                            const json_t *doc);
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

/* The path of a link ("https://host/redfish/v1/A/#/B/0" -> "/redfish/v1/A"), to compare by. The
 * caller frees; NULL when out of memory. */
char *redfish_path(const char *link);
/* What follows the last slash of a path. Borrowed. */
const char *redfish_last_segment(const char *path);

#endif
