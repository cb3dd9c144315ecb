/* SPDX-License-Identifier: MIT */
#ifndef TM_EMBED_H
#define TM_EMBED_H

#include <stdint.h>

/*
 * Puts a file of the source tree (a path from its top, a literal) into the program: NAME_text, with
 * a NUL behind it, and NAME_size, the bytes without that. The assembler reads it, and tells no
 * dependencies: the makefile names them.
 */
#define TM_EMBED(name, file)                                                                       \
  __asm__(".section .rodata\n.balign 16\n"                                                         \
          ".hidden " #name "_text\n.global " #name "_text\n" #name "_text:\n"                      \
          ".incbin \"" file "\"\n" #name "_text_end:\n.byte 0\n.balign 4\n"                        \
          ".hidden " #name "_size\n.global " #name "_size\n" #name "_size:\n"                      \
          ".long " #name "_text_end - " #name "_text\n.previous\n");                               \
  extern const char name##_text[];                                                                 \
  extern const uint32_t name##_size

#endif
