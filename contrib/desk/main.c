/* SPDX-License-Identifier: MIT */
#include "common/log.h"
#include "common/options.h"
#include "contrib/desk/http/route.h"

#include <string.h>
#include <sysexits.h>

static int run_routes(const struct tm_args *args)
{
  const char *format = tm_args_get(args, "format");
  bool json = format != NULL && strcmp(format, "json") == 0;
  if (format != NULL && !json && strcmp(format, "text") != 0)
    return tm_args_refuse(args, "format", "text or json is wanted");
  const struct route *const *tables = tm_args_has(args, "admin") ? desk_admin_routes : desk_routes;
  return routes_print(tables, json, stdout) == 0 ? EX_OK : EX_IOERR;
}

static const struct tm_command commands[] = {
    {"routes", "", "Prints every route with the roles that may use it.", run_routes},
    {0},
};

static const struct tm_option options[] = {
    {'f', "format", "FORMAT", "routes", "text (the default) or json"},
    {0, "admin", NULL, "routes", "the routes of the administrator's own listener"},
    {0},
};

static const struct tm_program program = {
    .name = "tidemark-desk",
    .summary = "The vendor's desk: takes in what sites report, and shows sales, service and "
               "factory what to do next.",
    .commands = commands,
    .options = options,
};

int main(int argc, char **argv)
{
  return tm_program_main(&program, argc, argv);
}
