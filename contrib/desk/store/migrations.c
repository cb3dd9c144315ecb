/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/migrate.h"

#include "common/embed.h"

#define STEP(name, file) TM_EMBED(name, "contrib/desk/store/migrations/" file ".sql")

STEP(step_1, "001-core");

const struct migration migrations[] = {
    {"001-core", step_1_text, &step_1_size},
};
const size_t migrations_len = sizeof(migrations) / sizeof(migrations[0]);
