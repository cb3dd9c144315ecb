/* SPDX-License-Identifier: MIT */
/* covers: contrib/desk/import/rows.c contrib/desk/import/import.c contrib/desk/import/tables.c
 * contrib/desk/import/catalogue.c */
/* A table as another program of the vendor wrote it: the first line is its kind, the rest the file.
 * It is taken as a whole or not at all, and every fault names the file and a line. */
#include "tests/lib/fuzz_desk.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct faults faults = {0};
  struct tm_error err = {0};
  struct import_result result = {0};
  char path[PATH_MAX], kind[32];
  const uint8_t *stop = size > 0 ? memchr(data, '\n', size) : NULL;
  size_t len = stop != NULL ? (size_t)(stop - data) : 0;
  if (stop == NULL || len >= sizeof(kind))
    return 0;
  memcpy(kind, data, len);
  kind[len] = '\0';
  if (fuzz_store == NULL)
    fuzz_desk_make();
  fuzz_file("input.csv", stop + 1, size - len - 1);
  int rc = import_file(fuzz_store, kind, fuzz_path(path, "input.csv"), FUZZ_NOW, "test", &result,
                       &faults, &err);
  assert(rc == 0 || rc == -EBADMSG || rc == -EINVAL || rc == -EFBIG);
  assert(rc == 0 ? faults.n == 0 : faults.n > 0 || err.text[0] != '\0');
  for (size_t i = 0; i < faults.n && i < FAULTS_SHOWN; i++)
    assert(strstr(faults.shown[i].text, "input.csv:") != NULL);
  if (rc == 0)
    fuzz_desk_put_back();
  return 0;
}
