/* SPDX-License-Identifier: MIT */
#include "analyzer/graph/stack.h"

#include <ctype.h>
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- png -------------------------------------------------------------------------------------- */

struct raster {
  unsigned char *rgb;
  unsigned width, height;
};

static int raster_read(struct raster *r, const struct picture *p, struct tm_error *err)
{
  png_image image = {.version = PNG_IMAGE_VERSION};
  const png_color white = {255, 255, 255};
  if (!png_image_begin_read_from_memory(&image, p->bytes, p->len))
    return tm_fail(err, -EIO, "libpng: %s", image.message);
  image.format = PNG_FORMAT_RGB;
  r->rgb = malloc(PNG_IMAGE_SIZE(image));
  if (r->rgb == NULL) {
    png_image_free(&image);
    return tm_fail(err, -ENOMEM, "stacking: out of memory");
  }
  if (!png_image_finish_read(&image, &white, r->rgb, 0, NULL))
    return tm_fail(err, -EIO, "libpng: %s", image.message);
  r->width = image.width;
  r->height = image.height;
  return 0;
}

/* Appends the rows of r to a raster as wide as `width`, white to the right. */
static void raster_paste(unsigned char *rgb, unsigned width, const struct raster *r)
{
  for (unsigned y = 0; y < r->height; y++) {
    memset(rgb + (size_t)y * width * 3, 255, (size_t)width * 3);
    memcpy(rgb + (size_t)y * width * 3, r->rgb + (size_t)y * r->width * 3, (size_t)r->width * 3);
  }
}

static int raster_write(struct tm_buf *out, const struct raster *r, struct tm_error *err)
{
  png_image image = {.version = PNG_IMAGE_VERSION,
                     .width = r->width,
                     .height = r->height,
                     .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  unsigned char *png = malloc(size);
  int rc = 0;
  if (png == NULL)
    return tm_fail(err, -ENOMEM, "stacking: out of memory");
  if (!png_image_write_to_memory(&image, png, &size, 0, r->rgb, 0, NULL))
    rc = tm_fail(err, -EIO, "libpng: %s", image.message);
  else if (tm_buf_add(out, png, size) < 0)
    rc = tm_fail(err, -ENOMEM, "stacking: out of memory");
  free(png);
  return rc;
}

int stack_png(struct tm_buf *out, const struct picture *pictures, size_t n, struct tm_error *err)
{
  struct raster whole = {0};
  int rc = 0;
  struct raster *parts = calloc(n + 1, sizeof(*parts));
  if (parts == NULL)
    return tm_fail(err, -ENOMEM, "stacking: out of memory");
  for (size_t i = 0; rc == 0 && i < n; i++) {
    if (pictures[i].bytes == NULL)
      continue;
    rc = raster_read(&parts[i], &pictures[i], err);
    whole.height += parts[i].height;
    whole.width = parts[i].width > whole.width ? parts[i].width : whole.width;
  }
  if (rc < 0)
    goto out;
  if (whole.width == 0 || whole.height == 0) {
    rc = tm_fail(err, -ENODATA, "nothing to draw: no value is known");
    goto out;
  }
  whole.rgb = malloc((size_t)whole.width * whole.height * 3);
  if (whole.rgb == NULL) {
    rc = tm_fail(err, -ENOMEM, "stacking: out of memory");
    goto out;
  }
  unsigned char *at = whole.rgb;
  for (size_t i = 0; i < n; i++) {
    raster_paste(at, whole.width, &parts[i]);
    at += (size_t)whole.width * parts[i].height * 3;
  }
  rc = raster_write(out, &whole, err);
out:
  for (size_t i = 0; i < n; i++)
    free(parts[i].rgb);
  free(parts);
  free(whole.rgb);
  return rc;
}

/* --- svg -------------------------------------------------------------------------------------- */

/* What lies between <svg …> and </svg>, and the size that the tag tells in points. */
struct drawing {
  const char *inner;
  size_t len;
  double width, height;
};

static double attribute(const char *tag, const char *name)
{
  char key[32];
  snprintf(key, sizeof(key), " %s=\"", name);
  const char *p = strstr(tag, key);
  return p == NULL ? 0 : strtod(p + strlen(key), NULL);
}

static int drawing_of(struct drawing *d, const struct picture *p, struct tm_error *err)
{
  const char *text = (const char *)p->bytes; /* draw.c ended it by a NUL */
  const char *tag = strstr(text, "<svg ");
  const char *inner = tag == NULL ? NULL : strchr(tag, '>');
  const char *end = inner == NULL ? NULL : strstr(inner, "</svg>");
  if (end == NULL)
    return tm_fail(err, -EIO, "librrd: drew no svg");
  *d = (struct drawing){.inner = inner + 1,
                        .len = (size_t)(end - inner - 1),
                        .width = attribute(tag, "width"),
                        .height = attribute(tag, "height")};
  if (!(d->width > 0 && d->height > 0))
    return tm_fail(err, -EIO, "librrd: drew an svg without a size");
  return 0;
}

/* Copies text; of a number's decimals two are kept, for a hundredth of a point is not seen and the
 * other four are half the file. */
static int put_rounded(struct tm_buf *out, const char *p, size_t n)
{
  const char *end = p + n;
  int rc = 0;
  while (rc == 0 && p < end) {
    const char *dot = memchr(p, '.', (size_t)(end - p));
    const char *keep = dot == NULL ? end : dot + 1;
    for (int i = 0; i < 2 && keep < end && isdigit((unsigned char)*keep); i++)
      keep++;
    rc = tm_buf_add(out, p, (size_t)(keep - p));
    for (p = keep; dot != NULL && p < end && isdigit((unsigned char)*p); p++)
      continue;
  }
  return rc;
}

/* Copies the drawing; its names (glyphs, clips) get a prefix, for two drawings have the same. */
static int put_drawing(struct tm_buf *out, const struct drawing *d, size_t index)
{
  static const char *const marks[] = {"id=\"", "href=\"#", "url(#"};
  const char *p = d->inner;
  const char *end = d->inner + d->len;
  int rc = 0;
  while (rc == 0 && p < end) {
    const char *next = end;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
      const char *hit = memmem(p, (size_t)(next - p), marks[i], strlen(marks[i]));
      if (hit != NULL)
        next = hit + strlen(marks[i]);
    }
    rc = put_rounded(out, p, (size_t)(next - p));
    if (rc == 0 && next < end)
      rc = tm_buf_printf(out, "p%zu-", index);
    p = next;
  }
  return rc;
}

static int put_escaped(struct tm_buf *out, const char *text)
{
  int rc = 0;
  for (; rc == 0 && *text != '\0'; text++) {
    const char *entity = *text == '<'   ? "&lt;"
                         : *text == '>' ? "&gt;"
                         : *text == '&' ? "&amp;"
                                        : NULL;
    rc = entity != NULL ? tm_buf_puts(out, entity) : tm_buf_add(out, text, 1);
  }
  return rc;
}

static int put_svg(struct tm_buf *out, const struct drawing *drawings, size_t n, const char *title)
{
  double width = 0;
  double height = 0;
  for (size_t i = 0; i < n; i++) {
    height += drawings[i].height;
    width = drawings[i].width > width ? drawings[i].width : width;
  }
  int rc = tm_buf_printf(out,
                         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                         "xmlns:xlink=\"http://www.w3.org/1999/xlink\" role=\"img\" "
                         "width=\"%g\" height=\"%g\" viewBox=\"0 0 %g %g\">\n<title>",
                         width, height, width, height);
  if (rc == 0)
    rc = put_escaped(out, title);
  if (rc == 0)
    rc = tm_buf_puts(out, "</title>\n");
  height = 0;
  for (size_t i = 0; rc == 0 && i < n; i++) {
    rc = tm_buf_printf(out, "<g transform=\"translate(0,%g)\">", height);
    if (rc == 0)
      rc = put_drawing(out, &drawings[i], i);
    if (rc == 0)
      rc = tm_buf_puts(out, "</g>\n");
    height += drawings[i].height;
  }
  return rc == 0 ? tm_buf_puts(out, "</svg>\n") : rc;
}

int stack_svg(struct tm_buf *out, const struct picture *pictures, size_t n, const char *title,
              struct tm_error *err)
{
  size_t used = 0;
  int rc = 0;
  struct drawing *drawings = calloc(n + 1, sizeof(*drawings));
  if (drawings == NULL)
    return tm_fail(err, -ENOMEM, "stacking: out of memory");
  for (size_t i = 0; rc == 0 && i < n; i++)
    if (pictures[i].bytes != NULL)
      rc = drawing_of(&drawings[used++], &pictures[i], err);
  if (rc == 0 && used == 0)
    rc = tm_fail(err, -ENODATA, "nothing to draw: no value is known");
  if (rc == 0 && put_svg(out, drawings, used, title) < 0)
    rc = tm_fail(err, -ENOMEM, "stacking: out of memory");
  free(drawings);
  return rc;
}
