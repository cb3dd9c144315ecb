/* SPDX-License-Identifier: MIT */
/* covers: exporters/consent.c exporters/schedule.c exporters/health.c exporters/state.c */
/* What an exporter keeps beside its spool, as a damaged disk or somebody may have left it: the
 * first byte says which file. A record of consent that cannot be understood opens nothing. */
#include "common/json.h"
#include "exporters/consent.h"
#include "exporters/health.h"
#include "exporters/schedule.h"
#include "exporters/state.h"
#include "tests/lib/fuzz_folder.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- consent -------------------------------------------------------------------------------- */

static void change_consent(uint8_t how)
{
  struct tm_error err = {0};
  struct consent c;
  json_t *grown = NULL, *fields = json_pack("[s,s]", "product.serial", "status.used_bytes");
  struct consent_change change = {.purpose = TM_PURPOSE_SALES,
                                  .device = how & 1 ? "gw/array-01" : NULL,
                                  .by = "admin",
                                  .fields = fields,
                                  .now = 1795133100};
  if (consent_enable(fuzz_folder(), &change, &grown, &err) == 0) {
    assert(json_is_array(grown) && consent_load(&c, fuzz_folder(), &err) == 0);
    assert((consent_purposes(&c, "gw", "array-01") & TM_PURPOSE_SALES) != 0);
    consent_release(&c);
    assert(consent_disable(fuzz_folder(), &change, &err) == 0);
    assert(consent_load(&c, fuzz_folder(), &err) == 0 && consent_refresh(&c, &err) == 0 &&
           (consent_purposes(&c, "gw", "array-01") & TM_PURPOSE_SALES) == 0);
    consent_release(&c);
  }
  json_decref(grown);
  json_decref(fields);
}

static void use_consent(const uint8_t *data, size_t size)
{
  struct consent c;
  struct tm_error err = {0};
  char log[PATH_MAX];
  fuzz_file("consent.json", data, size);
  int rc = consent_load(&c, fuzz_folder(), &err);
  assert(rc == 0 || err.text[0] != '\0');
  if (rc == 0) {
    json_t *fields = json_pack("[s,s]", "product.serial", "status.used_bytes");
    json_t *head =
        json_pack("{s:[s,s],s:s}", "purposes", "sales", "service", "device", "gw/array-01");
    unsigned on = consent_purposes(&c, "gw", "array-01");
    assert(on == 0 || consent_any(&c, on));
    for (unsigned i = 0; i < TM_PURPOSES; i++) {
      enum tm_purpose purpose = (enum tm_purpose)(1U << i);
      json_t *agreed = consent_fields(&c, purpose, "gw", "array-01");
      assert((agreed != NULL) == ((on & purpose) != 0));
      json_decref(agreed);
      json_decref(consent_held_back(&c, purpose, fields));
    }
    /* Somebody changes it meanwhile. */
    fuzz_file("consent.json", data, size / 2);
    assert(consent_refresh(&c, &err) == 0 || err.text[0] != '\0');
    fuzz_file("consent.json", data, size);
    on = consent_purposes(&c, "gw", "array-01");
    json_decref(consent_statement(&c, on, "gw", "array-01"));
    assert(!consent_covers(&c, head) || (on & TM_PURPOSE_SALES) != 0);
    json_decref(head);
    json_decref(fields);
    consent_release(&c);
  }
  change_consent(size > 0 ? data[size - 1] : 0);
  unlink(fuzz_path(log, "consent.log"));
}

static void use_key(const uint8_t *data, size_t size)
{
  struct tm_secret key;
  struct tm_error err = {0};
  char path[PATH_MAX];
  fuzz_file("pseudonym.key", data, size);
  if (consent_pseudonym_key(&key, fuzz_folder(), &err) == 0)
    assert(key.len >= 24);
  unlink(fuzz_path(path, "pseudonym.key"));
}

/* --- when, and how the targets are ---------------------------------------------------------- */

static void use_schedule(const uint8_t *data, size_t size)
{
  struct tm_error err = {0};
  struct schedule_state state;
  struct schedule_answer answer;
  struct tm_conf_schedule rules[] = {{.rule = TM_EVERY_DAYS, .days = 7, .at_minute = 150},
                                     {.rule = TM_MONTHDAY, .monthday = 31},
                                     {.rule = TM_WEEKDAY, .weekday = 3, .at_minute = 1439}};
  fuzz_file("schedule.json", data, size);
  int rc = schedule_load(&state, fuzz_folder(), &err);
  assert(rc == 0 || err.text[0] != '\0');
  if (rc < 0)
    return;
  for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
    rules[i].quiet_from = 480;
    rules[i].quiet_to = 1080;
    schedule_ask(&answer, &rules[i], &state, 1795133100);
    assert(!answer.due || answer.to <= 1795133100);
    schedule_is_quiet(&rules[i], 1795133100);
  }
  assert(schedule_save(&answer.next, fuzz_folder(), &err) == 0);
}

static void use_health(const uint8_t *data, size_t size)
{
  static const struct tm_conf_target target = {.name = "main", .url = "https://desk/"};
  struct tm_error err = {0};
  struct health h;
  char log[PATH_MAX];
  static int made;
  if (!made)
    fuzz_dir("export");
  made = 1;
  fuzz_file("export/main.health.json", data, size);
  assert(health_load(&h, fuzz_folder(), "main", &err) == 0);
  assert(h.failures >= 0 && strlen(h.reason) < sizeof(h.reason));
  health_is_held(&h, &target, false, 1795133100);
  health_is_held(&h, &target, true, 1795133100);
  health_is_told(&h, "x");
  health_poll_due(&h, 1795133100, 3600);
  health_try(&h);
  if (h.failures < 1000000)
    health_down(&h, "no answer", 1795133200, true, 5);
  health_stop(&h, "401", &target);
  assert(health_is_held(&h, &target, false, 1795133100));
  health_up(&h);
  assert(health_save(&h, fuzz_folder(), "main", &err) == 0);
  json_t *note = state_read(fuzz_folder(), "main.health", &err);
  assert(json_object_size(note) > 0 && state_log(fuzz_folder(), note, &err) == 0);
  assert(state_write("/dev/null", "main.health", note, &err) < 0 &&
         state_log("/dev/null", note, &err) < 0);
  json_decref(note);
  unlink(fuzz_path(log, "history.ndjson"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  switch (data[0] % 4) {
  case 0:
    use_consent(data + 1, size - 1);
    break;
  case 1:
    use_schedule(data + 1, size - 1);
    break;
  case 2:
    use_health(data + 1, size - 1);
    break;
  default:
    use_key(data + 1, size - 1);
  }
  return 0;
}
