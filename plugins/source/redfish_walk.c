/* SPDX-License-Identifier: MIT */
/* The way from the service root to pools and volumes. */
#include "plugins/source/redfish_walk.h"

#include "common/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT      "/redfish/v1/"
#define MAX_PAGES 1000 /* of one collection */

/* What is done with each member of a collection. 0, or what ends the walk (lack of memory, a limit
 * reached). */
typedef int member_fn(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                      struct tm_error *err);

/* Failures of a single link: a limit, the deadline or lack of memory end the walk; what was seen
 * before, or is not there, is no loss; for anything else the first reason is kept. */
static int tolerate(struct redfish_walk *w, int rc, const struct tm_error *why,
                    struct tm_error *err)
{
  if (rc == -ENOMEM || rc == -EFBIG || rc == -ETIMEDOUT)
    return tm_fail(err, rc, "%s", why->text);
  if (rc == 0 || rc == -EALREADY || rc == -ENOENT)
    return 0;
  w->incomplete = true;
  if (w->job->reading.error.code == 0)
    w->job->reading.error = *why;
  return 0;
}

static int visit_member(struct redfish_walk *w, json_t *member, const char *storage, member_fn *fn,
                        struct tm_error *err)
{
  const char *link = tm_json_get_string(member, "@odata.id");
  struct tm_error why = {0};
  json_t *doc = NULL;
  char *path = NULL;
  if (link == NULL)
    return 0;
  /* A service that expands its collections has sent the whole member already. */
  if (json_object_get(member, "@odata.type") != NULL || json_object_get(member, "Name") != NULL) {
    path = redfish_path(link);
    int rc = path != NULL ? fn(w, path, storage, member, err) : -ENOMEM;
    free(path);
    return rc;
  }
  int rc = redfish_get(w, link, &doc, &path, &why);
  rc = rc < 0 ? tolerate(w, rc, &why, err) : fn(w, path, storage, doc, err);
  json_decref(doc);
  free(path);
  return rc;
}

static int visit_members(struct redfish_walk *w, const json_t *members, const char *storage,
                         member_fn *fn, struct tm_error *err)
{
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < json_array_size(members); i++)
    rc = visit_member(w, json_array_get(members, i), storage, fn, err);
  return rc;
}

/* `where` is a property: a link to a collection, a collection within the document, or a list. */
static int visit(struct redfish_walk *w, const json_t *where, const char *storage, member_fn *fn,
                 struct tm_error *err)
{
  if (json_is_array(where))
    return visit_members(w, where, storage, fn, err);
  const json_t *members = json_object_get(where, "Members");
  if (members != NULL)
    return visit_members(w, members, storage, fn, err);
  const char *start = tm_json_get_string(where, "@odata.id");
  char *link = start != NULL ? strdup(start) : NULL;
  int rc = start != NULL && link == NULL ? tm_fail(err, -ENOMEM, "out of memory") : 0;
  for (int page = 0; rc == 0 && link != NULL && page < MAX_PAGES; page++) {
    struct tm_error why = {0};
    json_t *doc = NULL;
    char *path = NULL;
    rc = redfish_get(w, link, &doc, &path, &why);
    free(link);
    link = NULL;
    free(path);
    if (rc < 0) {
      rc = tolerate(w, rc, &why, err);
      break;
    }
    rc = visit_members(w, json_object_get(doc, "Members"), storage, fn, err);
    const char *next = tm_json_get_string(doc, "Members@odata.nextLink");
    link = next != NULL ? strdup(next) : NULL;
    json_decref(doc);
  }
  free(link);
  return rc;
}

/* --- what stands where -------------------------------------------------------------------- */

static int add_pool(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                    struct tm_error *err)
{
  int rc = redfish_tree_add_pool(&w->tree, path, storage, doc);
  return rc < 0 ? tm_fail(err, rc, "%s: too many pools", w->web->name) : 0;
}

static int add_volume(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                      struct tm_error *err)
{
  int rc = redfish_tree_add_volume(&w->tree, path, storage, doc);
  return rc < 0 ? tm_fail(err, rc, "%s: too many volumes", w->web->name) : 0;
}

/* A Storage of Redfish, or a StorageService of the older Swordfish. */
static int add_storage(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                       struct tm_error *err)
{
  (void)storage;
  const char *name = redfish_last_segment(path);
  redfish_tree_add_storage(&w->tree, doc);
  int rc = visit(w, json_object_get(doc, "StoragePools"), name, add_pool, err);
  return rc < 0 ? rc : visit(w, json_object_get(doc, "Volumes"), name, add_volume, err);
}

static int add_system(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                      struct tm_error *err)
{
  (void)path, (void)storage;
  redfish_tree_add_system(&w->tree, doc);
  /* The collection at the root, where there is one, holds the same subsystems. */
  if (w->tree.pools.len > 0 || w->tree.volumes.len > 0)
    return 0;
  return visit(w, json_object_get(doc, "Storage"), "", add_storage, err);
}

/* A collection that the root names, or that stands at its usual place where there is no root. */
static int visit_root(struct redfish_walk *w, const json_t *root, const char *name, member_fn *fn,
                      struct tm_error *err)
{
  char link[64];
  if (root != NULL)
    return visit(w, json_object_get(root, name), "", fn, err);
  snprintf(link, sizeof(link), ROOT "%s", name);
  json_t *where = json_pack("{s:s}", "@odata.id", link);
  int rc = where != NULL ? visit(w, where, "", fn, err) : tm_fail(err, -ENOMEM, "out of memory");
  json_decref(where);
  return rc;
}

int redfish_walk_all(struct redfish_walk *w, struct tm_error *err)
{
  json_t *root = NULL;
  char *path = NULL;
  int rc = redfish_get(w, ROOT, &root, &path, err);
  free(path);
  if (rc < 0 && rc != -ENOENT)
    return rc;
  rc = visit_root(w, root, "Storage", add_storage, err);
  if (rc == 0)
    rc = visit_root(w, root, "StorageServices", add_storage, err);
  if (rc == 0)
    rc = visit_root(w, root, "StorageSystems", add_system, err);
  if (rc == 0)
    rc = visit_root(w, root, "Systems", add_system, err);
  redfish_tree_add_root(&w->tree, root);
  if (rc == 0 && root == NULL && w->tree.pools.len == 0 && w->tree.volumes.len == 0 &&
      !w->incomplete)
    rc = tm_fail(err, -ENOENT, "%s: there is no Redfish service here", w->web->name);
  json_decref(root);
  return rc;
}

int redfish_walk_counters(struct redfish_walk *w, const json_t *paths, struct tm_error *err)
{
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < json_array_size(paths); i++) {
    json_t *doc = NULL;
    char *path = NULL;
    rc = redfish_get(w, json_string_value(json_array_get(paths, i)), &doc, &path, err);
    if (rc == 0)
      rc = add_pool(w, path, "", doc, err);
    json_decref(doc);
    free(path);
  }
  return rc;
}
