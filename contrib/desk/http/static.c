/* SPDX-License-Identifier: MIT */
#include "contrib/desk/desk.h"
#include "contrib/desk/http/route.h"
#include "contrib/desk/rooms.h"

#include <errno.h>
#include <string.h>

/* Files change with the program only, and their address with them. */
static int get_asset(const struct request *r, struct response *to, struct tm_error *err)
{
  const struct asset *asset = asset_find(r->desk->assets, r->path);
  if (asset == NULL)
    return tm_fail(err, -ENOENT, "%s: there is no such file", r->path);
  const char *version = request_query(r, "v");
  const char *known = request_header(r, "if-none-match");
  bool exact = version != NULL && strncmp(version, asset->etag + 1, 16) == 0 && version[16] == '\0';
  to->content_type = asset->type;
  to->status = 200;
  respond_header(to, "Cache-Control", exact ? "public, max-age=31536000, immutable" : "no-cache");
  respond_header(to, "ETag", asset->etag);
  if (known != NULL && strstr(known, asset->etag) != NULL) {
    to->status = 304;
    return 0;
  }
  to->fixed = asset->data;
  to->fixed_len = asset->len;
  return 0;
}

const struct route static_routes[] = {
    {"GET", "/static/{file}", ROLE_NONE, 0, "A style, script or picture of the desk.", get_asset},
    {"GET", "/vendor/{package}/{file}", ROLE_NONE, 0, "A file of dygraphs.", get_asset},
    {"GET", "/vendor/{package}/{folder}/{file}", ROLE_NONE, 0, "A file of Bootstrap.", get_asset},
    {0},
};
