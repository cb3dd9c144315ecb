/* SPDX-License-Identifier: MIT */
/* covers: exporters/receive.c exporters/signature.c exporters/accepted.c */
/* What a site has dropped for a vendor without a desk: the headers of its signature, a line "--"
 * and the document. The first byte even: the signature is made right, to get beyond it. What is
 * kept is of that site, whatever the document says. */
#include "common/json.h"
#include "common/sign.h"
#include "exporters/accepted.h"
#include "exporters/receive.h"
#include "tests/lib/fuzz_folder.h"

#include <assert.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static void make_folders(void)
{
  fuzz_dir("drop");
  fuzz_dir("drop/refused");
  fuzz_dir("drop/taken");
  fuzz_file("secret", SECRET "\n", sizeof(SECRET));
}

static void sign(const char *body, size_t len)
{
  struct tm_secret secret;
  struct tm_error err;
  char value[TM_SIGNATURE_SIZE], text[1000];
  json_t *event = tm_json_parse(body, len, "event", NULL);
  const char *id = tm_json_get_string(event, "id");
  if (id == NULL || strlen(id) > 200)
    id = "none";
  if (tm_secret_parse(&secret, SECRET, &err) < 0)
    abort();
  int n = snprintf(text, sizeof(text),
                   "webhook-id: %s\nwebhook-timestamp: 1795133100\nwebhook-signature: %s\n", id,
                   tm_sign(value, &secret, id, 1795133100, body, len));
  fuzz_file("drop/item.sig", text, (size_t)n);
  json_decref(event);
}

/* Whose it is, is not what the document says. */
static void check_kept(void)
{
  struct tm_error err = {0};
  char **paths = NULL;
  assert(accepted_list(fuzz_folder(), &paths, &err) == 0);
  for (size_t i = 0; paths != NULL && paths[i] != NULL; i++) {
    json_t *kept = tm_json_read(paths[i], 8 << 20, NULL);
    const json_t *customer = json_object_get(kept, "customer");
    assert(kept != NULL && strcmp(tm_json_get_string(customer, "id"), "C-1001") == 0 &&
           strcmp(tm_json_get_string(customer, "site"), "osaka-1") == 0);
    json_decref(kept);
    if (i > 20)
      unlink(paths[i]); /* of earlier inputs */
  }
  accepted_list_free(paths);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static char secret[PATH_MAX], drop[PATH_MAX], document[PATH_MAX], refusal[PATH_MAX];
  if (size == 0)
    return 0;
  if (secret[0] == '\0')
    make_folders();
  fuzz_path(secret, "secret");
  fuzz_path(drop, "drop");
  const struct tm_conf_source source = {.name = "osaka",
                                        .directory = drop,
                                        .secret_file = secret,
                                        .old_secret_file = data[0] & 4 ? secret : NULL,
                                        .customer = "C-1001",
                                        .site = "osaka-1"};
  struct tm_conf conf = {.role = TM_ROLE_VENDOR,
                         .state_dir = fuzz_folder(),
                         .sources = (struct tm_conf_source *)&source,
                         .sources_len = 1};
  const char *text = (const char *)data + 1, *end = (const char *)data + size;
  const char *stop = memmem(text, size - 1, "\n--\n", 4);
  const char *body = stop != NULL ? stop + 4 : text;
  size_t len = (size_t)(end - body);
  fuzz_file("drop/item.json", body, len);
  if (data[0] % 2 == 0)
    sign(body, len);
  else
    fuzz_file("drop/item.sig", text, stop != NULL ? (size_t)(stop - text) : 0);
  /* It lies there long enough to be whole. */
  const struct timespec old[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
  utimensat(AT_FDCWD, fuzz_path(document, "drop/item.json"), old, 0);
  receive_run(&conf);
  assert(access(document, F_OK) < 0 || access(fuzz_path(refusal, "drop/item.sig"), F_OK) == 0);
  check_kept();
  unlink(document);
  return 0;
}
