/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/migrate.h"

/* The assembler puts the file into the program: NAME_text, and its size beside it. */
#define STEP(name, file)                                                                           \
  __asm__(".section .rodata\n.balign 16\n"                                                         \
          ".hidden " #name "_text\n.global " #name "_text\n" #name "_text:\n"                      \
          ".incbin \"contrib/desk/store/migrations/" file ".sql\"\n" #name "_text_end:\n"          \
          ".byte 0\n.balign 4\n"                                                                   \
          ".hidden " #name "_size\n.global " #name "_size\n" #name "_size:\n"                      \
          ".long " #name "_text_end - " #name "_text\n.previous\n");                               \
  extern const char name##_text[];                                                                 \
  extern const uint32_t name##_size

STEP(step_1, "001-core");

const struct migration migrations[] = {
    {"001-core", step_1_text, &step_1_size},
};
const size_t migrations_len = sizeof(migrations) / sizeof(migrations[0]);
