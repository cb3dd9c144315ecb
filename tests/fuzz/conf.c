/* SPDX-License-Identifier: MIT */
/* covers: common/conf.c common/conf_check.c common/conf_mark.c common/conf_source.c
 * common/conf_target.c common/conf_value.c */
/* The configuration reader: any bytes are accepted or refused with a message. With a line "--" in
 * them they are two files, of which the second lies in the folder beside the first. */
#include "common/conf.h"

#include "tests/lib/fuzz_folder.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct tm_conf conf;
  struct tm_error err = {0};
  char path[PATH_MAX];
  static int made;
  if (!made)
    fuzz_dir("tidemark.conf.d");
  made = 1;
  const uint8_t *stop = size > 0 ? memmem(data, size, "\n--\n", 4) : NULL;
  size_t first = stop != NULL ? (size_t)(stop - data) : size;
  size_t second = stop != NULL ? first + 4 : size;
  fuzz_file("tidemark.conf", data, first);
  fuzz_file("tidemark.conf.d/more.conf", data + second, size - second);
  int rc = tm_conf_load(&conf, fuzz_path(path, "tidemark.conf"), &err);
  assert(rc == 0 || (err.text[0] != '\0' && err.code == rc));
  if (rc == 0) {
    assert(tm_conf_target(&conf, "no such target", NULL) == NULL);
    for (size_t i = 0; i < conf.targets_len; i++)
      assert(tm_conf_target(&conf, conf.targets[i].name, NULL) == &conf.targets[i]);
    tm_conf_need_identity(&conf, &err);
    tm_conf_release(&conf);
  }
  return 0;
}
