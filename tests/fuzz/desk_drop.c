/* SPDX-License-Identifier: MIT */
/* covers: contrib/desk/intake/drop.c contrib/desk/intake/mail.c */
/* What came to the desk by file or by mail. The first byte even: headers of a signature, a line
 * "--" and the event; with 2 in it the signature is made right. Odd: a whole mail. Nothing is taken
 * that its site did not sign. */
#include "contrib/desk/intake/drop.h"

#include "common/json.h"
#include "common/sign.h"
#include "tests/lib/fuzz_desk.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_secret(struct db *db, void *arg, struct tm_error *err)
{
  struct db_stmt *stmt = NULL;
  int rc =
      db_prepare(db, "SELECT secret FROM credentials WHERE customer_id = 'C-1001'", &stmt, err);
  if (rc == 0 && db_step(stmt, err) == 1)
    rc = tm_secret_parse(arg, db_text(stmt, 0), err);
  db_done(stmt);
  return rc;
}

static size_t sign(char *out, size_t size, const char *body, size_t len)
{
  struct tm_secret secret = {.len = 0};
  struct tm_error err = {0};
  char value[TM_SIGNATURE_SIZE];
  json_t *event = tm_json_parse(body, len, "event", NULL);
  const char *id = tm_json_get_string(event, "id");
  fuzz_must(store_read(fuzz_store, &db_everyone, read_secret, &secret, &err), &err);
  id = id != NULL && strlen(id) < 200 ? id : "none";
  int n =
      snprintf(out, size, "webhook-id: %s\r\nwebhook-timestamp: %d\r\nwebhook-signature: %s\r\n",
               id, FUZZ_NOW, tm_sign(value, &secret, id, FUZZ_NOW, body, len));
  json_decref(event);
  return (size_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct drop_counts counts = {0};
  struct tm_error err = {0};
  char headers[1000], path[PATH_MAX], *told = NULL;
  size_t told_len = 0;
  if (size == 0)
    return 0;
  if (fuzz_store == NULL) {
    fuzz_desk_make();
    fuzz_dir("in");
  }
  FILE *out = open_memstream(&told, &told_len);
  const char *text = (const char *)data + 1;
  const char *stop = memmem(text, size - 1, "\n--\n", 4);
  int rc;
  if (data[0] % 2 == 1) {
    rc = drop_mail(fuzz_store, text, size - 1, FUZZ_NOW, out, &counts, &err);
  } else {
    const char *body = stop != NULL ? stop + 4 : text;
    size_t len = size - 1 - (size_t)(body - text);
    size_t head = stop != NULL ? (size_t)(stop - text) : 0;
    fuzz_file("in/key.json", body, len);
    if ((data[0] & 2) != 0)
      fuzz_file("in/key.sig", headers, sign(headers, sizeof(headers), body, len));
    else
      fuzz_file("in/key.sig", text, head);
    rc = drop_folder(fuzz_store, fuzz_path(path, "in"), FUZZ_NOW, out, &counts, &err);
    assert((data[0] & 2) != 0 || counts.accepted == 0);
  }
  assert(rc == 0 || rc == -EBADMSG);
  fclose(out);
  free(told);
  if (counts.accepted + counts.duplicate + counts.refused > 0)
    fuzz_desk_put_back();
  return 0;
}
