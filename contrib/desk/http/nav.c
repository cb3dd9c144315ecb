/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/nav.h"

#include "contrib/desk/http/route.h"

#include <string.h>

static bool leads(const struct nav_row *row, unsigned role)
{
  char path[96];
  size_t len = strcspn(row->path, "#?");
  if ((row->roles & role) == 0 || len >= sizeof(path))
    return false;
  memcpy(path, row->path, len);
  path[len] = '\0';
  return route_leads(desk_routes, path, role);
}

/* How much of the row's path the page lies below: the longest is the current one. */
static size_t covers(const struct nav_row *row, const char *path)
{
  size_t len = strlen(row->path);
  bool below = strncmp(row->path, path, len) == 0 && (path[len] == '\0' || path[len] == '/');
  return below ? len : 0;
}

json_t *nav_model(const struct request *r)
{
  json_t *list = json_array();
  const struct nav_row *current = NULL;
  for (const struct nav_row *row = desk_nav; row->path != NULL; row++) {
    size_t len = covers(row, r->path);
    if (leads(row, r->visitor->role) && len > (current != NULL ? strlen(current->path) : 0))
      current = row;
  }
  for (const struct nav_row *row = desk_nav; row->path != NULL; row++) {
    if (leads(row, r->visitor->role))
      json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "path", row->path, "text", row->text,
                                            "current", row == current));
  }
  return list;
}

const char *nav_first(enum role role)
{
  for (const struct nav_row *row = desk_nav; row->path != NULL; row++) {
    if (leads(row, role))
      return row->path;
  }
  return NULL;
}
