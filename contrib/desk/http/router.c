/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Does the path fit the pattern? Segment by segment; an empty one fits nothing in braces. */
static bool fits(const char *pattern, const char *path, struct route_match *m)
{
  m->parts_len = 0;
  while (*pattern == '/' && *path == '/') {
    pattern++;
    path++;
    size_t want = strcspn(pattern, "/");
    size_t have = strcspn(path, "/");
    if (want > 2 && pattern[0] == '{' && pattern[want - 1] == '}') {
      if (have == 0 || m->parts_len == ROUTE_PARTS)
        return false;
      m->parts[m->parts_len++] = (struct route_part){pattern + 1, path, want - 2, have};
    } else if (want != have || memcmp(pattern, path, want) != 0) {
      return false;
    }
    pattern += want;
    path += have;
  }
  return *pattern == '\0' && *path == '\0';
}

/* HEAD is answered by whoever answers GET. */
static bool takes(const struct route *route, const char *method)
{
  return strcmp(route->method, method) == 0 ||
         (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void add_allowed(char allow[48], const char *method)
{
  const char *words = strcmp(method, "GET") == 0 ? "GET, HEAD" : method;
  size_t len = strlen(allow);
  if (strstr(allow, words) == NULL && len + strlen(words) + 3 <= 48)
    snprintf(allow + len, 48 - len, "%s%s", len > 0 ? ", " : "", words);
}

int route_find(const struct route *const *tables, const char *method, const char *path,
               struct route_match *m)
{
  struct route_match best = {0}, tried = {0};
  for (; *tables != NULL; tables++) {
    for (const struct route *route = *tables; route->method != NULL; route++) {
      if (!fits(route->pattern, path, &tried))
        continue;
      add_allowed(best.allow, route->method);
      if (!takes(route, method) || (best.route != NULL && best.parts_len <= tried.parts_len))
        continue;
      best.route = route;
      best.parts_len = tried.parts_len;
      memcpy(best.parts, tried.parts, sizeof(best.parts));
    }
  }
  *m = best;
  if (best.route != NULL)
    return 200;
  return best.allow[0] != '\0' ? 405 : 404;
}

bool route_leads(const struct route *const *tables, const char *path, unsigned roles)
{
  struct route_match m;
  return route_find(tables, "GET", path, &m) == 200 &&
         (m.route->roles & (roles | (unsigned)ROLE_NONE)) != 0;
}

static const struct {
  enum role role;
  const char *name;
} role_names[] = {
    {ROLE_NONE, "none"},       {ROLE_SALES, "sales"},       {ROLE_SERVICE, "service"},
    {ROLE_FACTORY, "factory"}, {ROLE_ENGINEER, "engineer"}, {ROLE_CUSTOMER, "customer"},
    {ROLE_ADMIN, "admin"},     {ROLE_SITE, "site"},
};
enum { ROLE_COUNT = sizeof(role_names) / sizeof(role_names[0]) };

const char *role_name(enum role role)
{
  for (size_t i = 0; i < ROLE_COUNT; i++) {
    if (role_names[i].role == role)
      return role_names[i].name;
  }
  return NULL;
}

enum role role_of(const char *name)
{
  for (size_t i = 0; name != NULL && i < ROLE_COUNT; i++) {
    if (strcmp(role_names[i].name, name) == 0)
      return role_names[i].role;
  }
  return 0;
}

/* "sales,service" into a buffer of 80 bytes, which holds all names. */
static void roles_text(unsigned roles, char out[80])
{
  size_t len = 0;
  out[0] = '\0';
  for (size_t i = 0; i < ROLE_COUNT; i++) {
    if ((roles & (unsigned)role_names[i].role) != 0)
      len += (size_t)snprintf(out + len, 80 - len, "%s%s", len > 0 ? "," : "", role_names[i].name);
  }
}

static json_t *route_json(const struct route *route)
{
  json_t *roles = json_array();
  for (size_t i = 0; i < ROLE_COUNT; i++) {
    if ((route->roles & (unsigned)role_names[i].role) != 0)
      json_array_append_new(roles, json_string(role_names[i].name));
  }
  return json_pack("{s:s, s:s, s:o, s:I, s:s}", "method", route->method, "pattern", route->pattern,
                   "roles", roles, "max_body", (json_int_t)route->max_body, "help", route->help);
}

int routes_print(const struct route *const *tables, bool json, FILE *out)
{
  json_t *list = json_array();
  int rc = list != NULL ? 0 : -ENOMEM;
  for (; rc == 0 && *tables != NULL; tables++) {
    for (const struct route *route = *tables; route->method != NULL; route++) {
      char roles[80];
      roles_text(route->roles, roles);
      if (json)
        json_array_append_new(list, route_json(route));
      else
        fprintf(out, "%-6s  %-36s  %-28s  %s\n", route->method, route->pattern, roles, route->help);
    }
  }
  if (rc == 0 && json && (json_dumpf(list, out, JSON_INDENT(1)) < 0 || fputc('\n', out) == EOF))
    rc = -EIO;
  json_decref(list);
  if (fflush(out) != 0)
    rc = -EIO;
  return rc;
}
