/* SPDX-License-Identifier: MIT */
#include "exporters/begin.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { BY_CHARACTERS = 200 }; /* as the schemas of consent and delete-request have it */

/*
 * An administrator's command as root must not leave files behind that the service's own user can
 * not read: from here on this process is the owner of the state folder.
 */
static int become_owner(const struct tm_conf *conf, struct tm_error *err)
{
  struct stat st;
  if (geteuid() != 0)
    return 0;
  if (stat(conf->state_dir, &st) < 0)
    return errno == ENOENT ? 0 : tm_fail(err, -errno, "%s: %s", conf->state_dir, strerror(errno));
  if (st.st_uid == 0)
    return 0;
  const struct passwd *owner = getpwuid(st.st_uid);
  int rc = owner != NULL ? initgroups(owner->pw_name, st.st_gid) : setgroups(1, &st.st_gid);
  if (rc < 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
      setresuid(st.st_uid, st.st_uid, st.st_uid) < 0)
    return tm_fail(err, -errno, "%s: cannot act for its owner: %s", conf->state_dir,
                   strerror(errno));
  return 0;
}

int begin_command(struct tm_conf *conf, const struct tm_args *args)
{
  struct tm_error err = {0};
  signal(SIGPIPE, SIG_IGN); /* a reader that leaves must not cut a push in two */
  if (tm_conf_load(conf, tm_args_get(args, "config"), &err) < 0) {
    tm_log_error("%s", err.text);
    return EX_CONFIG;
  }
  int rc = tm_zone_use(conf->timezone, &err);
  if (rc == 0 && conf->role == TM_ROLE_SITE)
    rc = tm_conf_need_identity(conf, &err);
  if (rc == 0)
    rc = become_owner(conf, &err);
  const char *target = tm_args_get(args, "target");
  bool known = target == NULL || tm_conf_target(conf, target, &err) != NULL;
  if (rc == 0 && known)
    return EX_OK;
  tm_log_error("%s", err.text);
  tm_conf_release(conf);
  return rc < 0 ? EX_CONFIG : EX_USAGE;
}

int begin_and_run(const struct tm_args *args, begin_run *run)
{
  struct tm_conf conf;
  int status = begin_command(&conf, args);
  if (status != EX_OK)
    return status;
  status = run(&conf, args);
  tm_conf_release(&conf);
  return status;
}

int begin_check_by(const struct tm_args *args)
{
  const char *by = tm_args_get(args, "by");
  char clean[4 * BY_CHARACTERS + 8]; /* a longer one is cut, and still too long */
  if (by != NULL && tm_text_clean(clean, sizeof(clean), by, strlen(by)) == 0)
    return tm_args_refuse(args, "by", "a name is wanted");
  if (by != NULL && tm_text_characters(clean) > BY_CHARACTERS)
    return tm_args_refuse(args, "by", "a name of at most 200 characters is wanted");
  return EX_OK;
}
