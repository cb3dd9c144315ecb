/* SPDX-License-Identifier: MIT */
#include "exporters/health.h"

#include "common/json.h"
#include "common/sign.h"
#include "common/text.h"
#include "exporters/state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_HOLD_S = 2 * 86400 };
#define LAST_SECOND 253402300799LL /* 9999-12-31 */

/* 0 for what is no number of seconds that sums could be made of. */
static int64_t get_whole(const json_t *note, const char *key)
{
  json_int_t n = json_integer_value(json_object_get(note, key));
  return n >= -LAST_SECOND && n <= LAST_SECOND ? (int64_t)n : 0;
}

static void note_name(char out[128], const char *target)
{
  snprintf(out, 128, "%s.health", target);
}

int health_load(struct health *h, const char *state_dir, const char *target, struct tm_error *err)
{
  char name[128];
  note_name(name, target);
  json_t *note = state_read(state_dir, name, err);
  if (note == NULL)
    return err->code;
  *h = (struct health){.failures = (int)get_whole(note, "failures"),
                       .hold_until = get_whole(note, "hold_until"),
                       .asked = tm_json_get_bool(note, "asked", false),
                       .polled_at = get_whole(note, "polled_at"),
                       .skew_s = get_whole(note, "skew_s"),
                       .stopped = tm_json_get_bool(note, "stopped", false)};
  tm_text_copy(h->fingerprint, sizeof(h->fingerprint), tm_json_get_string(note, "fingerprint"));
  tm_text_copy(h->reason, sizeof(h->reason), tm_json_get_string(note, "reason"));
  if (h->failures < 0)
    h->failures = 0;
  json_decref(note);
  return 0;
}

int health_save(const struct health *h, const char *state_dir, const char *target,
                struct tm_error *err)
{
  char name[128];
  note_name(name, target);
  json_t *note =
      json_pack("{s:i,s:I,s:b,s:I,s:I,s:b,s:s,s:o}", "failures", h->failures, "hold_until",
                (json_int_t)h->hold_until, "asked", h->asked, "polled_at", (json_int_t)h->polled_at,
                "skew_s", (json_int_t)h->skew_s, "stopped", h->stopped, "fingerprint",
                h->fingerprint, "reason", tm_json_text(h->reason));
  int rc = state_write(state_dir, name, note, err);
  json_decref(note);
  return rc;
}

void health_up(struct health *h)
{
  h->failures = 0;
  h->hold_until = 0;
  h->skew_s = 0;
  h->stopped = false;
  h->reason[0] = '\0';
}

void health_down(struct health *h, const char *reason, int64_t until, bool asked, int64_t skew_s)
{
  h->failures++;
  h->hold_until = until;
  h->asked = asked;
  h->skew_s = skew_s;
  tm_text_copy(h->reason, sizeof(h->reason), reason);
}

/* What a person would change to mend a stop: the URL, or one of the files. */
static void fingerprint(char out[TM_SHA256_HEX], const struct tm_conf_target *t)
{
  const char *const files[] = {t->token_file, t->secret_file, t->tls.client_cert, t->password_file};
  struct tm_digest d;
  tm_digest_init(&d);
  tm_digest_line(&d, t->url != NULL ? t->url : "");
  tm_digest_line(&d, t->user != NULL ? t->user : "");
  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
    struct stat st;
    char text[128] = "";
    if (files[i] != NULL && stat(files[i], &st) == 0)
      snprintf(text, sizeof(text), "%lld %lld %lld", (long long)st.st_ino, (long long)st.st_size,
               (long long)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
    tm_digest_line(&d, files[i] != NULL ? files[i] : "");
    tm_digest_line(&d, text);
  }
  tm_digest_hex(&d, out);
}

void health_stop(struct health *h, const char *reason, const struct tm_conf_target *target)
{
  h->stopped = true;
  h->failures++;
  fingerprint(h->fingerprint, target);
  tm_text_copy(h->reason, sizeof(h->reason), reason);
}

bool health_is_held(const struct health *h, const struct tm_conf_target *target, bool manual,
                    int64_t now)
{
  if (h->stopped) {
    char print[TM_SHA256_HEX];
    fingerprint(print, target);
    return strcmp(print, h->fingerprint) == 0;
  }
  if (manual && !h->asked)
    return false;
  /* A hold beyond any wait means that the clock was set back. */
  return h->hold_until > now && h->hold_until <= now + MAX_HOLD_S;
}

void health_try(struct health *h)
{
  h->hold_until = 0;
  h->stopped = false;
}

bool health_is_told(const struct health *h, const char *reason)
{
  return h->failures > 0 && strncmp(h->reason, reason, sizeof(h->reason) - 1) == 0;
}

bool health_poll_due(const struct health *h, int64_t now, int64_t every_s)
{
  return h->polled_at == 0 || now >= h->polled_at + every_s || now < h->polled_at;
}
