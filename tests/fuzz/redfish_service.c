/* SPDX-License-Identifier: MIT */
/* covers: plugins/source/redfish.c plugins/source/redfish_get.c plugins/source/redfish_walk.c
 * plugins/source/redfish_tree.c */
/* wraps: tm_http_do */
/* A Redfish service that answers whatever it likes to whatever it is asked: the walk ends, and
 * stays at the service's own origin. */
#include "plugins/source/redfish.h"

#include "common/clock.h"
#include "tests/lib/fuzz_folder.h"
#include "tests/lib/fuzz_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set(struct ask_settings *s, const char *key, const char *value)
{
  if (ask_settings_set(s, key, value) < 0)
    abort();
}

static void ask(struct ask_device *d, enum ask_part part)
{
  struct ask_job job = {
      .device = d, .part = part, .deadline = tm_monotonic() + 60, .explain = json_object()};
  ask_run(&job, 1);
  json_t *told = reading_to_json(&job.reading);
  if (told == NULL || !job.finished)
    abort();
  json_decref(told);
  json_decref(job.explain);
  reading_release(&job.reading);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const struct ask_source *const sources[] = {&source_redfish, NULL};
  static const char credentials[] = "device \"127.0.0.1\" { user = \"m\" password = \"p\" }\n"
                                    "device \"127.0.0.2\" { user = \"m\" login = \"basic\" }\n";
  struct ask_settings defaults = {0}, settings = {0};
  struct ask *a = NULL;
  struct ask_device *d = NULL;
  char path[PATH_MAX];
  static int made;
  if (!made)
    fuzz_file("credentials", credentials, sizeof(credentials) - 1);
  made = 1;
  set(&settings, "Address", size % 2 == 0 ? "127.0.0.1" : "127.0.0.2");
  set(&settings, "TLS", "false");
  set(&settings, "Credentials", fuzz_path(path, "credentials"));
  fuzz_server_start(data, size);
  if (ask_new(&a, sources, &defaults, NULL) == 0 &&
      ask_device_new(&d, a, "redfish", &settings, NULL) == 0) {
    ask(d, ASK_EVERYTHING);
    ask(d, ASK_EVERYTHING); /* drives are asked once an hour */
    ask(d, ASK_ITEMS);
  } else {
    abort();
  }
  ask_device_free(d);
  ask_free(a);
  ask_settings_release(&settings);
  return 0;
}
