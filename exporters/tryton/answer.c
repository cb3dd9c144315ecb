/* SPDX-License-Identifier: MIT */
#include "exporters/tryton/answer.h"

#include "common/buf.h"
#include "common/json.h"
#include "common/text.h"

#include <errno.h>
#include <string.h>

/* The texts of ["UserError", ["message", "description", null]] and ["'nope'", ""], joined. */
static void error_text(const json_t *error, char *out, size_t size)
{
  struct tm_buf all = TM_BUF_INIT(4096);
  size_t i, j;
  json_t *part, *inner;
  json_array_foreach(error, i, part)
  {
    if (json_is_string(part) && json_string_length(part) > 0)
      tm_buf_printf(&all, "%s%s", all.len > 0 ? ": " : "", json_string_value(part));
    json_array_foreach(part, j, inner)
    {
      if (json_is_string(inner) && json_string_length(inner) > 0)
        tm_buf_printf(&all, "%s%s", all.len > 0 ? ": " : "", json_string_value(inner));
    }
  }
  if (json_is_string(error))
    tm_buf_puts(&all, json_string_value(error));
  tm_text_clean(out, size, all.len > 0 ? all.ptr : "an error without a text",
                all.len > 0 ? all.len : 23);
  tm_buf_release(&all);
}

/* An error in a 200 answer. What the data base could not do at this moment, and what our user may
 * not do, is not the record's fault; all else is said by the application, and stays so. */
static int judge_error(const char *method, const json_t *error, struct tm_error *err)
{
  static const char *const busy[] = {"is locked", "OperationalError", "could not serialize",
                                     "deadlock detected", NULL};
  char text[400];
  int code = -EBADMSG;
  const char *kind = json_string_value(json_array_get(error, 0));
  error_text(error, text, sizeof(text));
  if (kind != NULL && strcmp(kind, "ConcurrencyException") == 0)
    code = -ESTALE;
  else if (strstr(text, "Database '") != NULL && strstr(text, "doesn't exist") != NULL)
    code = -ENOENT;
  else if (strstr(text, "You are not allowed to access") != NULL)
    code = -EPERM;
  for (size_t i = 0; busy[i] != NULL && code == -EBADMSG; i++) {
    if (strstr(text, busy[i]) != NULL)
      code = -EAGAIN;
  }
  return tm_fail(err, code, "%s: %s", method, text);
}

static int judge_status(long status, const char *method, struct tm_error *err)
{
  int code = status == 401 || status == 403                      ? -EACCES
             : status == 404 || status == 410                    ? -ENOENT
             : status == 429 || (status >= 502 && status <= 504) ? -EBUSY
             : status >= 500 || status == 408                    ? -EAGAIN
                                                                 : -EPROTO;
  return tm_fail(err, code, "%s: answered %ld%s", method, status,
                 status == 403 ? ": the method is not open to us" : "");
}

int tryton_judge(const char *method, long status, const char *body, size_t len, json_t **result,
                 struct tm_error *err)
{
  if (status < 200 || status > 299)
    return judge_status(status, method, err);
  json_t *answer = tm_json_parse(body != NULL ? body : "", len, method, err);
  if (answer == NULL && err != NULL && err->code == -ENOMEM)
    return err->code;
  if (answer == NULL)
    return tm_fail(err, -EAGAIN, "%s: the answer is not JSON: is this a Tryton server?", method);
  const json_t *error = json_object_get(answer, "error");
  int rc = 0;
  if (error != NULL && !json_is_null(error))
    rc = judge_error(method, error, err);
  else if (json_object_get(answer, "result") == NULL)
    rc = tm_fail(err, -EAGAIN, "%s: the answer has no result", method);
  else
    *result = json_incref(json_object_get(answer, "result"));
  json_decref(answer);
  return rc;
}
