/* SPDX-License-Identifier: MIT */
#include "common/clock.h"
#include "common/json_memory.h"
#include "common/log.h"
#include "common/options.h"
#include "contrib/desk/commands.h"
#include "contrib/desk/http/route.h"
#include "contrib/desk/serve.h"
#include "contrib/desk/work/chores.h"
#include "places.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int run_serve(const struct tm_args *args)
{
  struct desk_conf conf;
  int status = desk_begin(&conf, args);
  if (status != EX_OK)
    return status;
  status = serve(&conf);
  desk_conf_release(&conf);
  return status;
}

static int do_chores(struct desk *desk, void *what, struct tm_error *err)
{
  (void)what;
  int rc = desk_load_pages(desk, err);
  return rc == 0 ? chores_once(desk, tm_now(), err) : rc;
}

static int run_nightly(const struct tm_args *args)
{
  return desk_run(args, do_chores, NULL);
}

static int back_up(struct desk *desk, void *path, struct tm_error *err)
{
  int rc = store_backup(desk->store, path, err);
  if (rc != -ENOENT)
    return rc;
  tm_log_error("%s", err->text); /* no folder to write into is no input that is missing */
  return EX_CANTCREAT;
}

static int run_backup(const struct tm_args *args)
{
  return desk_run_on(args, back_up, "the file to copy into is wanted");
}

static int run_routes(const struct tm_args *args)
{
  const char *format = tm_args_get(args, "format");
  bool json = format != NULL && strcmp(format, "json") == 0;
  if (format != NULL && !json && strcmp(format, "text") != 0)
    return tm_args_refuse(args, "format", "text or json is wanted");
  const struct route *const *tables = tm_args_has(args, "admin") ? desk_admin_routes : desk_routes;
  int rc = routes_print(tables, json, stdout);
  if (rc < 0)
    tm_log_error("standard output: %s", tm_json_starved() ? "out of memory" : "cannot write");
  return rc == 0 ? EX_OK : EX_IOERR;
}

static const struct tm_command commands[] = {
    {"serve", "", "Serves the pages and the API until it is ended.", run_serve},
    {"user", "add|link|disable|enable|role|token|list [LOGIN [ROLE]]",
     "Adds an account (add LOGIN --name NAME --role ROLE), makes a one-time link or an API token "
     "for it, changes its role, or shuts it.",
     run_user},
    {"site", "add|rotate|revoke|list [CUSTOMER SITE]",
     "Enrols a site and writes the one file that its administrator needs, gives it new "
     "credentials, ends them, or lists sites, the longest silent first.",
     run_site},
    {"intake", "DIR|-",
     "Takes in what came by file (KEY.json with KEY.sig in a folder), or a mail with such "
     "attachments on standard input.",
     run_intake},
    {"claims", "DIR|-",
     "Takes claims that came by file (*.json in a folder), or a mail with such attachments on "
     "standard input.",
     run_claims},
    {"import", "customers|staff|absences|assignments|catalogue|shops|stock|lead-times FILE",
     "Takes in what the first word says, from CSV or JSON: all of a file, or nothing.", run_import},
    {"backup", "FILE", "Copies the whole store of SQLite into a file, while it is in use.",
     run_backup},
    {"webhook", "add|stop|list [NAME [URL]]",
     "Tells another system of the vendor each change of an item; add prints the secret that signs "
     "it.",
     run_webhook},
    {"nightly", "",
     "Does what is due of the night's work and of the advice now; 'serve' does it by itself.",
     run_nightly},
    {"routes", "", "Prints every route with the roles that may use it.", run_routes},
    {0},
};

static const struct tm_option options[] = {
    {'c', "config", "FILE", "serve user site nightly import intake claims backup webhook",
     "the configuration, instead of " DESK_CONF_PATH},
    {'f', "format", "text|json", "routes site", "text unless given"},
    {0, "admin", NULL, "routes", "the routes of the administrator's own listener"},
    {'n', "name", "NAME", "user", "add: whose account it is; token: what it is for"},
    {'n', "name", "NAME", "site", "the site's name"},
    {'o', "output", "FILE", "site", "where the enrolment is written, instead of standard output"},
    {0, "customer-name", "NAME", "site", "adds the customer too, under this name"},
    {0, "target", "NAME", "site", "how the site calls this desk; 'desk' unless given"},
    {0, "url", "URL", "site", "where the site pushes to, instead of public_url"},
    {0, "certificate", "FILE", "site", "the site's client certificate in PEM, besides its token"},
    {0, "until", "DATE", "site",
     "rotate: when the old credentials end, unless the new ones are used before; 30 days"},
    {0, "silent", "TIME", "site", "list only sites that were not heard of for so long: 24h, 7d"},
    {'r', "role", "sales|service|factory|engineer|customer|admin", "user",
     "what the account may do"},
    {0, "customer", "ID", "user", "whose data the role customer sees"},
    {0, "staff", "KEY", "user", "the person of staff whose account it is"},
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
  if (sodium_init() < 0)
    return EX_OSERR;
  return tm_program_main(&program, argc, argv);
}
