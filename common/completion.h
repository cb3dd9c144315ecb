/* SPDX-License-Identifier: MIT */
#ifndef TM_COMPLETION_H
#define TM_COMPLETION_H

#include "common/options.h"

/*
 * What a shell completes for a program, from its one table: commands, the options of each, and
 * where a value or an operand is named FILE, PATH, DIR or MAPPING, files or folders; where it is
 * A|B|C, these words. Other values and operands are the user's own and complete nothing.
 */

/* Prints the script for "bash", "zsh" or "fish" on standard output. 0, or -EINVAL for another. */
int tm_completion_print(const struct tm_program *program, const char *shell);

#endif
