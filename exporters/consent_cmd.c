/* SPDX-License-Identifier: MIT */
#include "exporters/consent_cmd.h"

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/text.h"
#include "exporters/begin.h"
#include "exporters/consent.h"
#include "exporters/enrol.h"
#include "exporters/schema.h"
#include "exporters/withdraw.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

int cmd_enrol(const struct tm_args *args)
{
  if (args->operands_len != 1) {
    tm_log_error("one FILE is wanted: what the vendor gave");
    return EX_USAGE;
  }
  return enrol_run(tm_args_get(args, "config"), args->operands[0]);
}

static int read_change(const struct tm_args *args, struct consent_change *change)
{
  if (args->operands_len != 1) {
    tm_log_error("one PURPOSE is wanted: sales, factory, service or comparison");
    return EX_USAGE;
  }
  unsigned purpose = tm_purpose_of(args->operands[0]);
  if (purpose == 0) {
    tm_log_error("'%s' is no purpose: sales, factory, service and comparison are",
                 args->operands[0]);
    return EX_USAGE;
  }
  *change = (struct consent_change){.purpose = (enum tm_purpose)purpose,
                                    .device = tm_args_get(args, "device"),
                                    .by = tm_args_get(args, "by"),
                                    .now = tm_now()};
  /* Under another name nothing would be kept, and yet be told as done. */
  if (change->device != NULL && (change->device[0] == '\0' || !tm_text_is_utf8(change->device) ||
                                 tm_text_has_control(change->device)))
    return tm_args_refuse(args, "device", "a name of printable UTF-8 is wanted");
  return begin_check_by(args);
}

/* Whether STATE/FOLDER/HOST/NAME.json is there for this device, of any host where none was named;
 * true also where nobody can tell. *any becomes true where there is a host at all. */
static bool may_be_in(const char *state_dir, const char *folder, const char *device, bool *any)
{
  char path[PATH_MAX];
  const char *slash = strchr(device, '/');
  const struct dirent *e;
  bool found = false;
  int n = snprintf(path, sizeof(path), "%s/%s", state_dir, folder);
  DIR *dir = n < (int)sizeof(path) ? opendir(path) : NULL;
  if (dir == NULL)
    return errno != ENOENT;
  while (!found && tm_dir_next(dir, &e) > 0) {
    size_t len = strlen(e->d_name);
    if (e->d_name[0] == '.')
      continue;
    *any = true;
    if (slash != NULL && (strncmp(e->d_name, device, len) != 0 || device + len != slash))
      continue;
    n = snprintf(path, sizeof(path), "%s/%s/%s/%s.json", state_dir, folder, e->d_name,
                 slash != NULL ? slash + 1 : device);
    found = n < (int)sizeof(path) && tm_path_is_there(path);
  }
  closedir(dir);
  return found;
}

/* A slip of the pen would leave a device as it was. The word stands all the same: the device may
 * come. Where nothing was recorded yet, and at a vendor, nobody knows. */
static void tell_unseen(const struct tm_conf *conf, const char *device)
{
  bool any = false;
  if (device == NULL || conf->role == TM_ROLE_VENDOR ||
      may_be_in(conf->state_dir, "summaries", device, &any) ||
      may_be_in(conf->state_dir, "inventory", device, &any) || !any)
    return;
  tm_log_warning("--device %s: no such device was seen here; this is kept for when it is", device);
}

static void print_fields(const json_t *grown)
{
  size_t i;
  json_t *field;
  json_array_foreach(grown, i, field)
  {
    printf("  + %s\n", json_string_value(field));
  }
}

int cmd_enable(const struct tm_args *args)
{
  struct tm_conf conf;
  struct consent_change change;
  struct schema schema;
  struct tm_error err = {0};
  json_t *grown = NULL, *fields = NULL;
  int status = read_change(args, &change);
  if (status == EX_OK && change.by == NULL) {
    tm_log_error("--by NAME is wanted: consent says who gave it");
    status = EX_USAGE;
  }
  if (status == EX_OK)
    status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  int rc = schema_load(&schema, SCHEMA_SUMMARY, &err);
  if (rc == 0) {
    fields = schema_fields(&schema, change.purpose);
    change.fields = fields;
    rc = consent_enable(conf.state_dir, &change, &grown, &err);
    schema_release(&schema);
  }
  if (rc == 0) {
    printf("%s is on%s%s; newly agreed to:\n", args->operands[0],
           change.device != NULL ? " for " : "", change.device != NULL ? change.device : "");
    print_fields(grown);
    tell_unseen(&conf, change.device);
  } else {
    status = tm_log_status(rc, &err);
  }
  json_decref(grown);
  json_decref(fields);
  tm_conf_release(&conf);
  return status;
}

int cmd_disable(const struct tm_args *args)
{
  struct tm_conf conf;
  struct consent_change change;
  struct tm_error err = {0};
  size_t moved = 0;
  int status = read_change(args, &change);
  if (status == EX_OK)
    status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  int rc = consent_disable(conf.state_dir, &change, &err);
  if (rc == 0)
    rc = withdraw_items(&conf, &moved, &err);
  if (rc == 0) {
    printf("%s is off%s%s; %zu unsent items were withdrawn\n", args->operands[0],
           change.device != NULL ? " for " : "", change.device != NULL ? change.device : "", moved);
    tell_unseen(&conf, change.device);
  } else {
    status = tm_log_status(rc, &err);
  }
  tm_conf_release(&conf);
  return status;
}
