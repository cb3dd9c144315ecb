/* SPDX-License-Identifier: MIT */
#include "contrib/desk/intake/drop.h"

#include "common/file.h"
#include "common/json.h"
#include "common/json_memory.h"
#include "common/log.h"
#include "contrib/desk/intake/intake.h"
#include "contrib/desk/intake/mail.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { EVENT_BYTES = 4 << 20, SIGNATURE_BYTES = 8192, CANDIDATES = 8 };

struct drop {
  const char *name; /* as it stands in messages */
  const char *body, *signature;
  size_t len, signature_len;
};

/* --- whose it is -------------------------------------------------------------------------- */

/* "/customers/C-1001/sites/osaka-1", as the event says; not yet believed. */
static bool read_source(const struct drop *d, char customer[CREDENTIAL_ID],
                        char site[CREDENTIAL_ID])
{
  json_t *event = tm_json_parse(d->body, d->len, d->name, NULL);
  const char *source = tm_json_get_string(event, "source");
  const char *p = source != NULL && strncmp(source, "/customers/", 11) == 0 ? source + 11 : NULL;
  const char *sites = p != NULL ? strstr(p, "/sites/") : NULL;
  bool good = sites != NULL && sites - p < CREDENTIAL_ID && strlen(sites + 7) < CREDENTIAL_ID;
  if (good) {
    snprintf(customer, CREDENTIAL_ID, "%.*s", (int)(sites - p), p);
    snprintf(site, CREDENTIAL_ID, "%s", sites + 7);
  }
  json_decref(event);
  return good;
}

struct candidates {
  const char *customer, *site;
  struct credential list[CANDIDATES];
  int64_t valid_until[CANDIDATES];
  size_t len;
};

/* The newest first. One that has run out still speaks for what was signed before. */
static int find_candidates(struct db *db, void *arg, struct tm_error *err)
{
  struct candidates *c = arg;
  struct db_stmt *stmt = NULL;
  c->len = 0;
  int rc = db_prepare(db,
                      "SELECT k.id, k.secret, k.valid_until FROM credentials k"
                      " JOIN customers u ON u.customer_id = k.customer_id"
                      " WHERE k.customer_id = ?1 AND k.site = ?2 AND k.revoked_at IS NULL"
                      " AND u.deleted_at IS NULL ORDER BY k.id DESC LIMIT 8",
                      &stmt, err);
  if (rc < 0)
    return rc;
  db_bind_text(stmt, 1, c->customer);
  db_bind_text(stmt, 2, c->site);
  while ((rc = db_step(stmt, err)) == 1 && c->len < CANDIDATES) {
    struct credential *k = &c->list[c->len];
    k->id = db_int(stmt, 0);
    snprintf(k->customer, sizeof(k->customer), "%s", c->customer);
    snprintf(k->site, sizeof(k->site), "%s", c->site);
    snprintf(k->secret, sizeof(k->secret), "%s", db_text(stmt, 1));
    c->valid_until[c->len++] = db_is_null(stmt, 2) ? INT64_MAX : db_int(stmt, 2);
  }
  db_done(stmt);
  return rc < 0 ? rc : 0;
}

/* The value of a line "name: value"; only when there is exactly one of that name. */
static bool header_of(const char *text, const char *name, char *out, size_t size)
{
  size_t len = strlen(name), found = 0;
  for (const char *p = text; *p != '\0';) {
    size_t n = strcspn(p, "\r\n");
    if (n > len && strncasecmp(p, name, len) == 0 && p[len] == ':') {
      size_t skip = len + 1 + strspn(p + len + 1, " ");
      if (skip > n || n - skip >= size)
        return false;
      memcpy(out, p + skip, n - skip);
      out[n - skip] = '\0';
      found++;
    }
    p += n;
    p += strspn(p, "\r\n");
  }
  return found == 1;
}

/* The credential whose secret signed it; -EACCES for none. */
static int find_signer(struct store *store, const struct drop *d, struct intake_message *m,
                       int64_t now, struct credential *signer, struct tm_error *err)
{
  char customer[CREDENTIAL_ID], site[CREDENTIAL_ID];
  struct candidates c = {.customer = customer, .site = site};
  if (!read_source(d, customer, site))
    return tm_fail(err, -EBADMSG, "no event, or one that does not say which site it is from");
  int rc = store_read(store, &db_everyone, find_candidates, &c, err);
  if (rc < 0)
    return rc;
  int64_t signed_at = strtoll(m->timestamp, NULL, 10);
  for (size_t i = 0; i < c.len; i++) {
    if (signed_at < c.valid_until[i] && signed_at <= now + INTAKE_SKEW_S &&
        intake_verify(m, &c.list[i], now, false, NULL) == 0) {
      *signer = c.list[i];
      return 0;
    }
  }
  return tm_fail(err, -EACCES, "not signed by %.64s/%.64s", customer, site);
}

/* --- one of them -------------------------------------------------------------------------- */

static int take(struct store *store, const struct drop *d, int64_t now, struct credential *from,
                struct intake_counts *seen, struct tm_buf *receipt, struct tm_error *err)
{
  char text[SIGNATURE_BYTES], id[300], timestamp[32], value[4096];
  size_t n = d->signature_len < sizeof(text) ? d->signature_len : sizeof(text) - 1;
  memcpy(text, d->signature, n);
  text[n] = '\0';
  if (!header_of(text, "webhook-id", id, sizeof(id)) ||
      !header_of(text, "webhook-timestamp", timestamp, sizeof(timestamp)) ||
      !header_of(text, "webhook-signature", value, sizeof(value)))
    return tm_fail(err, -EACCES, "its signature is none: three headers are wanted, each once");
  struct intake_message m = {
      .id = id, .timestamp = timestamp, .signature = value, .body = d->body, .len = d->len};
  int rc = find_signer(store, d, &m, now, from, err);
  return rc < 0 ? rc : intake_take(store, from, &m, now, receipt, seen, err);
}

static int why_refused(const struct tm_buf *receipt, struct tm_error *err)
{
  json_t *answer = tm_json_parse(receipt->ptr, receipt->len, "receipt", NULL);
  const json_t *r = json_array_get(json_object_get(answer, "results"), 0);
  const char *field = tm_json_get_string(r, "field"), *why = tm_json_get_string(r, "error");
  int rc = tm_fail(err, -EBADMSG, "%s%s%s", field != NULL ? field : "", field != NULL ? ": " : "",
                   why != NULL ? why : "refused");
  json_decref(answer);
  return rc;
}

/* Takes one, and says on out what became of it: "NAME: accepted, C-1001/osaka-1". 0 when it was
 * taken, -EBADMSG when it was refused (said on standard error, and in err), else the store's error.
 */
static int take_one(struct store *store, const struct drop *drop, int64_t now, FILE *out,
                    struct drop_counts *counts, struct tm_error *err)
{
  struct credential from;
  struct intake_counts seen = {0};
  struct tm_buf receipt = TM_BUF_INIT(1 << 20);
  struct tm_error own = {0};
  int rc = take(store, drop, now, &from, &seen, &receipt, &own);
  if (rc == 0 && seen.refused > 0)
    rc = why_refused(&receipt, &own);
  tm_buf_release(&receipt);
  if (tm_json_starved())
    rc = tm_fail(&own, -ENOMEM, "out of memory");
  if (rc == -EBADMSG || rc == -EACCES || rc == -E2BIG) {
    tm_log_error("%s: refused: %s", drop->name, own.text);
    counts->refused++;
    return tm_fail(err, -EBADMSG, "%s", own.text);
  }
  if (rc < 0)
    return tm_fail(err, rc, "%s: %s", drop->name, own.text);
  counts->accepted += seen.accepted;
  counts->duplicate += seen.duplicate;
  fprintf(out, "%s: %s, %s/%s\n", drop->name, seen.accepted > 0 ? "accepted" : "duplicate",
          from.customer, from.site);
  return 0;
}

/* --- a folder ----------------------------------------------------------------------------- */

static int put_away(const char *folder, const char *key, const char *into, struct tm_error *err)
{
  static const char *const suffixes[] = {"json", "sig"};
  char from[4096], to[4096];
  int n = snprintf(to, sizeof(to), "%s/%s", folder, into);
  int rc = n < (int)sizeof(to) ? tm_dir_make(to, 0750, err) : -ENAMETOOLONG;
  for (int i = 0; rc == 0 && i < 2; i++) {
    snprintf(from, sizeof(from), "%s/%s.%s", folder, key, suffixes[i]);
    n = snprintf(to, sizeof(to), "%s/%s/%s.%s", folder, into, key, suffixes[i]);
    if (n >= (int)sizeof(to) || rename(from, to) < 0)
      rc = tm_fail(err, -errno, "%s: %s", from, strerror(errno));
  }
  return rc;
}

static int put_refused(const char *folder, const char *key, const struct tm_error *why,
                       struct tm_error *err)
{
  char path[4096], text[sizeof(why->text) + 1];
  int rc = put_away(folder, key, "refused", err);
  if (rc == 0 &&
      snprintf(path, sizeof(path), "%s/refused/%s.why", folder, key) < (int)sizeof(path)) {
    int n = snprintf(text, sizeof(text), "%s\n", why->text);
    rc = tm_file_write(path, text, (size_t)n, 0640, err);
  }
  return rc;
}

static int take_file(struct store *store, const char *folder, const char *name, int64_t now,
                     FILE *out, struct drop_counts *counts, struct tm_error *err)
{
  char key[256], path[4096];
  struct tm_buf body = TM_BUF_INIT(EVENT_BYTES), signature = TM_BUF_INIT(SIGNATURE_BYTES);
  struct stat st;
  snprintf(key, sizeof(key), "%.*s", (int)(strlen(name) - 5), name);
  snprintf(path, sizeof(path), "%s/%s.sig", folder, key);
  if (stat(path, &st) < 0) /* it may be still on its way */
    return errno == ENOENT ? 0 : tm_fail(err, -errno, "%s: %s", path, strerror(errno));
  int rc = tm_file_read(path, &signature, err);
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  if (rc == 0)
    rc = tm_file_read(path, &body, err);
  if (rc == -EFBIG) {
    struct tm_error why = *err;
    tm_log_error("%s", why.text);
    counts->refused++;
    rc = put_refused(folder, key, &why, err);
  } else if (rc == 0) {
    const struct drop d = {.name = path,
                           .body = body.ptr != NULL ? body.ptr : "",
                           .len = body.len,
                           .signature = signature.ptr != NULL ? signature.ptr : "",
                           .signature_len = signature.len};
    struct tm_error why = {0};
    rc = take_one(store, &d, now, out, counts, &why);
    if (rc == 0)
      rc = put_away(folder, key, "taken", err);
    else if (rc == -EBADMSG)
      rc = put_refused(folder, key, &why, err);
    else
      *err = why;
  }
  tm_buf_release(&body);
  tm_buf_release(&signature);
  return rc;
}

static int is_event(const struct dirent *entry)
{
  size_t n = strlen(entry->d_name);
  return entry->d_name[0] != '.' && n > 5 && n < 250 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

int drop_folder(struct store *store, const char *folder, int64_t now, FILE *out,
                struct drop_counts *counts, struct tm_error *err)
{
  struct dirent **list = NULL;
  int n = scandir(folder, &list, is_event, alphasort);
  if (n < 0)
    return tm_fail(err, -errno, "%s: %s", folder, strerror(errno));
  int rc = 0;
  for (int i = 0; i < n; i++) {
    if (rc == 0)
      rc = take_file(store, folder, list[i]->d_name, now, out, counts, err);
    free(list[i]);
  }
  free(list);
  return rc;
}

/* --- a mail ------------------------------------------------------------------------------- */

static const struct mail_file *signature_of(const struct mail_files *files,
                                            const struct mail_file *event)
{
  size_t n = strlen(event->name) - 5;
  for (size_t i = 0; i < files->len; i++) {
    const struct mail_file *f = &files->list[i];
    if (strlen(f->name) == n + 4 && strncmp(f->name, event->name, n) == 0 &&
        strcmp(f->name + n, ".sig") == 0)
      return f;
  }
  return NULL;
}

int drop_mail(struct store *store, const char *mail, size_t len, int64_t now, FILE *out,
              struct drop_counts *counts, struct tm_error *err)
{
  struct mail_files *files = calloc(1, sizeof(*files));
  if (files == NULL)
    return tm_fail(err, -ENOMEM, "out of memory");
  size_t pairs = 0;
  int rc = mail_read(files, mail, len, err);
  for (size_t i = 0; rc == 0 && i < files->len; i++) {
    const struct mail_file *f = &files->list[i];
    size_t n = strlen(f->name);
    const struct mail_file *signature =
        n > 5 && strcmp(f->name + n - 5, ".json") == 0 ? signature_of(files, f) : NULL;
    if (signature == NULL)
      continue;
    const struct drop d = {.name = f->name,
                           .body = f->data.ptr != NULL ? f->data.ptr : "",
                           .len = f->data.len,
                           .signature = signature->data.ptr != NULL ? signature->data.ptr : "",
                           .signature_len = signature->data.len};
    pairs++;
    rc = take_one(store, &d, now, out, counts, err);
    rc = rc == -EBADMSG ? 0 : rc; /* said, and counted */
  }
  if (rc == 0 && pairs == 0)
    rc = tm_fail(err, -EBADMSG, "standard input: no KEY.json with its KEY.sig is attached");
  mail_release(files);
  free(files);
  return rc;
}
