/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/migrate.h"

#include "common/embed.h"

#define STEP(name, file) TM_EMBED(name, "contrib/desk/store/migrations/" file ".sql")

STEP(step_1, "001-core");
STEP(step_2, "002-people");
STEP(step_3, "003-sales");
STEP(step_4, "004-mail");
STEP(step_5, "005-sales");
STEP(step_6, "006-claims");
STEP(step_7, "007-public");
STEP(step_8, "008-factory");
STEP(step_9, "009-scale");
STEP(step_10, "010-outcomes");
STEP(step_11, "011-clusters");
STEP(step_12, "012-coming");
STEP(step_13, "013-sent");

/* A line each. */
/* clang-format off */
const struct migration migrations[] = {
    {"001-core", step_1_text, &step_1_size},
    {"002-people", step_2_text, &step_2_size},
    {"003-sales", step_3_text, &step_3_size},
    {"004-mail", step_4_text, &step_4_size},
    {"005-sales", step_5_text, &step_5_size},
    {"006-claims", step_6_text, &step_6_size},
    {"007-public", step_7_text, &step_7_size},
    {"008-factory", step_8_text, &step_8_size},
    {"009-scale", step_9_text, &step_9_size},
    {"010-outcomes", step_10_text, &step_10_size},
    {"011-clusters", step_11_text, &step_11_size},
    {"012-coming", step_12_text, &step_12_size},
    {"013-sent", step_13_text, &step_13_size},
};
/* clang-format on */
const size_t migrations_len = sizeof(migrations) / sizeof(migrations[0]);
