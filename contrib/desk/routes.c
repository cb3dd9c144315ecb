/* SPDX-License-Identifier: MIT */
#include "contrib/desk/http/route.h"

/* A room's table of routes; adding a room is one line here and one below. */
const struct route *const desk_routes[] = {
    NULL,
};

const struct route *const desk_admin_routes[] = {
    NULL,
};
