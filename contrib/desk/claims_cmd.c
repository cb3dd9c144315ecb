/* SPDX-License-Identifier: MIT */
#include "contrib/desk/commands.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/json_memory.h"
#include "common/log.h"
#include "contrib/desk/claims/claim.h"
#include "contrib/desk/intake/mail.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

enum { CLAIM_BYTES = 256 << 10, MAIL_BYTES = 64 << 20 };

struct taking {
  struct desk *desk;
  size_t taken, refused;
};

/* 0, also for one that is refused, which *refused tells; else the store's error. */
static int take_one(struct taking *t, const char *name, const char *text, size_t len, bool *refused,
                    struct tm_error *err)
{
  char field[200];
  struct tm_error why = {0};
  json_t *document = tm_json_parse(text, len, name, &why);
  struct claim_intake in = {
      .desk = t->desk, .document = document, .via = "mail", .source = "mail", .now = tm_now()};
  int rc = 0;
  *refused = document == NULL || claim_check(document, field, &why) < 0;
  if (document == NULL)
    tm_log_error("%s", why.text);
  else if (*refused)
    tm_log_error("%s: refused: %s: %s", name, field, why.text);
  else
    rc = store_write(t->desk->store, &db_everyone, claim_take, &in, err);
  if (rc == 0 && !*refused)
    printf("%s: %s, K-%lld\n", name, in.duplicate ? "duplicate" : "accepted", (long long)in.id);
  t->refused += *refused;
  t->taken += rc == 0 && !*refused;
  json_decref(document);
  return rc;
}

static bool is_claim(const char *name)
{
  size_t n = strlen(name);
  return name[0] != '.' && n > 5 && n < 250 && strcmp(name + n - 5, ".json") == 0;
}

/* --- a folder ------------------------------------------------------------------------------------
 */

static int is_file(const struct dirent *entry)
{
  return is_claim(entry->d_name);
}

/* So that the same folder can be given again. */
static int put_away(const char *folder, const char *name, const char *into, struct tm_error *err)
{
  char from[4096], to[4096];
  int n = snprintf(to, sizeof(to), "%s/%s", folder, into);
  int rc = n < (int)sizeof(to) ? tm_dir_make(to, 0750, err) : -ENAMETOOLONG;
  snprintf(from, sizeof(from), "%s/%s", folder, name);
  n = snprintf(to, sizeof(to), "%s/%s/%s", folder, into, name);
  if (rc == 0 && (n >= (int)sizeof(to) || rename(from, to) < 0))
    rc = tm_fail(err, -errno, "%s: %s", from, strerror(errno));
  return rc;
}

static int take_file(struct taking *t, const char *folder, const char *name, struct tm_error *err)
{
  char path[4096];
  bool refused = false;
  struct tm_buf text = TM_BUF_INIT(CLAIM_BYTES);
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  int rc = tm_file_read(path, &text, err);
  if (rc == -EFBIG) {
    tm_log_error("%s", err->text);
    t->refused++;
    refused = true;
    rc = 0;
  } else if (rc == 0) {
    rc = take_one(t, path, text.ptr != NULL ? text.ptr : "", text.len, &refused, err);
  }
  tm_buf_release(&text);
  if (rc == 0 && tm_json_starved()) /* nobody knows what it was refused for */
    rc = tm_fail(err, -ENOMEM, "%s: out of memory", path);
  return rc == 0 ? put_away(folder, name, refused ? "refused" : "taken", err) : rc;
}

static int take_folder(struct taking *t, const char *folder, struct tm_error *err)
{
  struct dirent **list = NULL;
  int n = scandir(folder, &list, is_file, alphasort), rc = 0;
  if (n < 0)
    return tm_fail(err, -errno, "%s: %s", folder, strerror(errno));
  for (int i = 0; i < n; i++) {
    if (rc == 0)
      rc = take_file(t, folder, list[i]->d_name, err);
    free(list[i]);
  }
  free(list);
  return rc;
}

/* --- a mail --------------------------------------------------------------------------------------
 */

static int take_mail(struct taking *t, struct tm_error *err)
{
  struct tm_buf mail = TM_BUF_INIT(MAIL_BYTES);
  struct mail_files *files = calloc(1, sizeof(*files));
  bool refused = false;
  if (files == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  int rc = tm_file_read_input(&mail, err);
  if (rc == 0)
    rc = mail_read(files, mail.ptr != NULL ? mail.ptr : "", mail.len, err);
  for (size_t i = 0; rc == 0 && i < files->len; i++) {
    const struct mail_file *f = &files->list[i];
    if (is_claim(f->name))
      rc = take_one(t, f->name, f->data.ptr != NULL ? f->data.ptr : "", f->data.len, &refused, err);
  }
  if (rc == 0 && t->taken + t->refused == 0)
    rc = tm_fail(err, -EBADMSG, "standard input: no claim (*.json) is attached");
  mail_release(files);
  free(files);
  tm_buf_release(&mail);
  return rc;
}

/* --- the command ---------------------------------------------------------------------------------
 */

static int take_all(struct desk *desk, void *from, struct tm_error *err)
{
  struct taking t = {.desk = desk};
  int rc = desk_load_pages(desk, err);
  if (rc == 0)
    rc = strcmp(from, "-") == 0 ? take_mail(&t, err) : take_folder(&t, from, err);
  if (rc < 0)
    return rc;
  return t.refused > 0 ? EX_DATAERR : t.taken == 0 ? EX_NOINPUT : EX_OK;
}

int run_claims(const struct tm_args *args)
{
  return desk_run_on(args, take_all, "a folder, or - for a mail on standard input, is wanted");
}
