/* SPDX-License-Identifier: MIT */
#ifndef TM_DESK_INTAKE_ROUTES_H
#define TM_DESK_INTAKE_ROUTES_H

#include "contrib/desk/http/route.h"

/* What sites talk to. */
extern const struct route intake_routes[];

#endif
