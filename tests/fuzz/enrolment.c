/* SPDX-License-Identifier: MIT */
/* covers: exporters/enrol.c */
/* The file by which a vendor enrols a site: the configuration that is made of it loads, and holds
 * that one target, whatever stands in it. */
#include "exporters/enrol.h"

#include "common/conf.h"
#include "tests/lib/fuzz_folder.h"

#include <assert.h>
#include <sysexits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fresh(void)
{
  fuzz_folder_remove();
  if (mkdir(fuzz_folder_name, 0700) < 0)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char old[] = "customer { id = \"C-1001\" }\nsite { name = \"osaka-1\" }\n";
  char conf_path[PATH_MAX], file[PATH_MAX];
  struct tm_conf conf;
  struct tm_error err = {0};
  fuzz_folder();
  if (size % 2 == 1)
    fuzz_file("tidemark.conf", old, sizeof(old) - 1);
  fuzz_file("enrolment.json", data, size);
  fuzz_path(conf_path, "tidemark.conf");
  int status = enrol_run(conf_path, fuzz_path(file, "enrolment.json"));
  if (status == EX_OK) {
    assert(tm_conf_load(&conf, conf_path, &err) == 0 && conf.targets_len == 1);
    tm_conf_release(&conf);
    assert(enrol_run(conf_path, file) == EX_OK); /* once more: new credentials */
    fresh();
  } else {
    unlink(conf_path);
  }
  return 0;
}
