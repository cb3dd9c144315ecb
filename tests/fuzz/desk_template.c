/* SPDX-License-Identifier: MIT */
/* covers: contrib/desk/http/template.c contrib/desk/http/template_format.c
 * contrib/desk/http/template_html.c contrib/desk/http/template_parse.c */
/* Templates: the first byte says what kind, then a text, a NUL and a model. Whatever a model holds,
 * a page that was accepted has as many '<' as its text. */
#include "common/json.h"
#include "contrib/desk/http/template.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A model that would leave any place where it is not escaped: for names of one letter. */
static json_t *hostile_model(void)
{
  json_t *model = json_object();
  for (char name = 'a'; name <= 'z'; name++)
    json_object_setn_new(model, &name, 1, json_string("\"'><script>alert(1)</script>&{{x}}"));
  return model;
}

static size_t count(const char *text, size_t len, char c)
{
  size_t n = 0;
  for (size_t i = 0; i < len; i++)
    n += text[i] == c;
  return n;
}

static void render(const struct templates *t, const char *name, const json_t *model, size_t marks)
{
  struct template_clock clock = {.now = 1795143900, .zone = "UTC"};
  struct tm_buf out = TM_BUF_INIT(1 << 20);
  struct tm_error err = {0};
  int rc = template_render(t, name, model, &clock, &out, &err);
  assert(rc == 0 || err.code == rc);
  if (rc == 0 && marks != SIZE_MAX)
    assert(count(out.ptr != NULL ? out.ptr : "", out.len, '<') <= marks);
  tm_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct tm_error err = {0};
  if (size < 2)
    return 0;
  static int read; /* the pages that are shipped */
  struct templates *pages = NULL;
  assert(read || templates_load(&pages, "contrib/desk/pages", &err) == 0);
  templates_free(pages);
  read = 1;
  const char *text = (const char *)data + 1;
  size_t len = strnlen(text, size - 1);
  const char *name = data[0] % 2 == 0 ? "x.html" : "x.txt";
  struct templates *t = templates_new();
  int rc = t == NULL ? -1 : templates_add(t, name, text, len, &err);
  if (rc == 0)
    rc = templates_link(t, &err);
  if (rc == 0) {
    json_t *hostile = hostile_model();
    json_t *model =
        len < size - 1 ? tm_json_parse(text + len + 1, size - 2 - len, "model", &err) : NULL;
    render(t, name, hostile, data[0] % 2 == 0 ? count(text, len, '<') : SIZE_MAX);
    if (model != NULL)
      render(t, name, model, SIZE_MAX);
    json_decref(model);
    json_decref(hostile);
  } else {
    assert(t == NULL || err.text[0] != '\0');
  }
  templates_free(t);
  return 0;
}
