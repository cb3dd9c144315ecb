/* SPDX-License-Identifier: MIT */
/* The way from the service root to pools and volumes. */
#include "plugins/source/redfish_walk.h"

#include "common/json.h"
#include "plugins/source/redfish_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT      "/redfish/v1/"
#define NEXT      "Members@odata.nextLink"
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
  if (w->in_drives) {
    w->drives_failed = true;
    return 0;
  }
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

/* One page after the other, from the one at `link` on, which this takes over; it is the page-th,
 * the first being 0. There may be no collection; but a page that another one names, and that is not
 * there, holds members that count. */
static int visit_pages(struct redfish_walk *w, char *link, int page, const char *storage,
                       member_fn *fn, struct tm_error *err)
{
  int rc = 0;
  for (; rc == 0 && link != NULL; page++) {
    if (page == MAX_PAGES) {
      rc = tm_fail(err, -EFBIG, "%s: more than %d pages of a collection", w->web->name, MAX_PAGES);
      break;
    }
    struct tm_error why = {0};
    json_t *doc = NULL;
    char *path = NULL;
    rc = redfish_get(w, link, &doc, &path, &why);
    free(link);
    link = NULL;
    free(path);
    if (rc < 0) {
      rc = tolerate(w, rc == -ENOENT && page > 0 ? -EIO : rc, &why, err);
      break;
    }
    rc = visit_members(w, json_object_get(doc, "Members"), storage, fn, err);
    const char *next = tm_json_get_string(doc, NEXT);
    link = next != NULL ? strdup(next) : NULL;
    json_decref(doc);
  }
  free(link);
  return rc;
}

/* `where` is a property: a link to a collection, a collection within the document (of which further
 * pages may stand elsewhere), or a list. */
static int visit(struct redfish_walk *w, const json_t *where, const char *storage, member_fn *fn,
                 struct tm_error *err)
{
  if (json_is_array(where))
    return visit_members(w, where, storage, fn, err);
  const json_t *members = json_object_get(where, "Members");
  int rc = visit_members(w, members, storage, fn, err);
  const char *start = tm_json_get_string(where, members != NULL ? NEXT : "@odata.id");
  if (rc < 0 || start == NULL)
    return rc;
  char *link = strdup(start);
  return link != NULL ? visit_pages(w, link, members != NULL, storage, fn, err)
                      : tm_fail(err, -ENOMEM, "out of memory");
}

/* --- documents beside a document ------------------------------------------------------------ */

/* The Metrics that the document names, where its own counters are not in it. They count, and no
 * more: without them transfers are unknown. */
static int get_metrics(struct redfish_walk *w, const json_t *doc, json_t **metrics, char **path,
                       struct tm_error *err)
{
  const char *link = tm_json_get_string(json_object_get(doc, "Metrics"), "@odata.id");
  struct tm_error why = {0};
  if (link == NULL || redfish_tree_has_counters(doc))
    return 0;
  int rc = redfish_get(w, link, metrics, path, &why);
  if (rc == -ENOMEM || rc == -EFBIG || rc == -ETIMEDOUT)
    return tm_fail(err, rc, "%s", why.text);
  if (rc < 0 && rc != -EALREADY && rc != -ENOENT)
    *(w->in_drives ? &w->tree.drives_uncounted : &w->tree.uncounted) = true;
  return 0;
}

/* *doc is the document that a link leads to, NULL when it leads nowhere or into a document. */
static int follow(struct redfish_walk *w, const json_t *link, json_t **doc, struct tm_error *err)
{
  const char *to = tm_json_get_string(link, "@odata.id");
  struct tm_error why = {0};
  char *path = NULL;
  if (to == NULL || strchr(to, '#') != NULL)
    return 0;
  int rc = redfish_get(w, to, doc, &path, &why);
  free(path);
  return rc < 0 ? tolerate(w, rc, &why, err) : 0;
}

/* The lists of what provides the capacity may be collections of their own. */
static int follow_providers(struct redfish_walk *w, json_t *source, struct tm_error *err)
{
  static const char *const keys[] = {"ProvidingPools", "ProvidingVolumes"};
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++) {
    const json_t *link = json_object_get(source, keys[i]);
    const char *to = tm_json_get_string(link, "@odata.id");
    json_t *doc = NULL;
    if (to == NULL || json_object_get(link, "Members") != NULL ||
        strcmp(redfish_last_segment(to), keys[i]) != 0)
      continue;
    rc = follow(w, link, &doc, err);
    if (doc != NULL)
      json_object_set_new(source, keys[i], doc);
  }
  return rc;
}

/* Puts the documents of the capacity's sources in the place of links to them. */
static int follow_sources(struct redfish_walk *w, json_t *doc, struct tm_error *err)
{
  json_t *sources = json_object_get(doc, "CapacitySources");
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < json_array_size(sources); i++) {
    json_t *source = json_array_get(sources, i);
    json_t *whole = NULL;
    if (json_object_size(source) == 1) {
      rc = follow(w, source, &whole, err);
      if (whole != NULL)
        json_array_set_new(sources, i, whole);
    }
    if (rc == 0)
      rc = follow_providers(w, json_array_get(sources, i), err);
  }
  return rc;
}

/* --- what stands where -------------------------------------------------------------------- */

typedef int add_fn(struct redfish_tree *t, const struct redfish_found *f);

static int add(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
               add_fn *fn, const char *what, struct tm_error *err)
{
  struct redfish_found f = {.path = path, .storage = storage, .doc = doc};
  json_t *metrics = NULL;
  char *metrics_path = NULL;
  int rc = get_metrics(w, doc, &metrics, &metrics_path, err);
  if (rc == 0) {
    f.metrics = metrics;
    f.metrics_path = metrics_path;
    rc = fn(&w->tree, &f);
    if (rc < 0)
      tm_fail(err, rc, rc == -ENOMEM ? "%s: out of memory" : "%s: too many %s", w->web->name, what);
  }
  json_decref(metrics);
  free(metrics_path);
  return rc;
}

static int add_pool(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                    struct tm_error *err)
{
  int rc = follow_sources(w, doc, err);
  return rc < 0 ? rc : add(w, path, storage, doc, redfish_tree_add_pool, "pools", err);
}

static int add_volume(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                      struct tm_error *err)
{
  int rc = follow_sources(w, doc, err);
  return rc < 0 ? rc : add(w, path, storage, doc, redfish_tree_add_volume, "volumes", err);
}

static int add_drive(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                     struct tm_error *err)
{
  return add(w, path, storage, doc, redfish_tree_add_drive, "drives", err);
}

/* Keeps the links to a subsystem's drives for later. */
static int put_off(struct redfish_walk *w, const char *name, const json_t *doc,
                   struct tm_error *err)
{
  json_t *drives = json_object_get(doc, "Drives");
  if (w->without_drives || drives == NULL)
    return 0;
  if (w->drives == NULL)
    w->drives = json_array();
  json_t *o = json_pack("{s:s, s:O}", "name", name, "drives", drives);
  return json_array_append_new(w->drives, o) == 0 ? 0 : tm_fail(err, -ENOMEM, "out of memory");
}

/* A Storage of Redfish, or a StorageService of the older Swordfish. */
static int add_storage(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                       struct tm_error *err)
{
  (void)storage;
  const char *name = redfish_last_segment(path);
  redfish_tree_add_storage(&w->tree, doc);
  int rc = put_off(w, name, doc, err);
  if (rc == 0)
    rc = visit(w, json_object_get(doc, "StoragePools"), name, add_pool, err);
  return rc < 0 ? rc : visit(w, json_object_get(doc, "Volumes"), name, add_volume, err);
}

/* Not reading a drive costs the list of drives, not the reading. */
static int add_drives(struct redfish_walk *w, struct tm_error *err)
{
  struct tm_error why = {0};
  int rc = 0;
  w->in_drives = true;
  for (size_t i = 0; rc == 0 && i < json_array_size(w->drives); i++) {
    const json_t *o = json_array_get(w->drives, i);
    const char *name = tm_json_get_string(o, "name");
    rc = visit(w, json_object_get(o, "drives"), name, add_drive, &why);
  }
  w->in_drives = false;
  w->tree.drives_unknown = rc < 0 || w->drives_failed;
  return rc == -ENOMEM ? tm_fail(err, rc, "%s", why.text) : 0;
}

static int add_system(struct redfish_walk *w, const char *path, const char *storage, json_t *doc,
                      struct tm_error *err)
{
  (void)path, (void)storage;
  redfish_tree_add_system(&w->tree, doc);
  /* The collection at the root, where there is one, holds the same subsystems. */
  if (w->rooted)
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
  static const struct {
    const char *name;
    member_fn *fn;
    bool older; /* the name that Storage had: a service that keeps both shows the same pools */
  } collections[] = {{"Storage", add_storage, false},
                     {"StorageServices", add_storage, true},
                     {"StorageSystems", add_system, false},
                     {"Systems", add_system, false}};
  rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(collections) / sizeof(collections[0]); i++) {
    w->rooted = w->tree.pools.len > 0 || w->tree.volumes.len > 0;
    if (!collections[i].older || w->tree.pools.len == 0)
      rc = visit_root(w, root, collections[i].name, collections[i].fn, err);
  }
  if (rc == 0)
    rc = add_drives(w, err);
  redfish_tree_add_root(&w->tree, root);
  if (rc == 0 && root == NULL && w->tree.pools.len == 0 && w->tree.volumes.len == 0 &&
      !w->incomplete)
    rc = tm_fail(err, -ENOENT, "%s: there is no Redfish service here", w->web->name);
  json_decref(root);
  return rc;
}
