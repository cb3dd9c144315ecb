/* SPDX-License-Identifier: MIT */
#include "contrib/desk/desk.h"

#include "contrib/desk/http/server.h"

#include <stdio.h>

const char *desk_url(const struct desk *desk)
{
  return desk->conf->public_url != NULL ? desk->conf->public_url : server_url(desk->server);
}

int desk_load_pages(struct desk *desk, struct tm_error *err)
{
  char path[4096];
  snprintf(path, sizeof(path), "%s/pages", desk->conf->data_dir);
  return templates_load(&desk->templates, path, err);
}
