/* SPDX-License-Identifier: MIT */
#ifndef TM_OPTIONS_H
#define TM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One table a program: getopt, --help, the test of the man page and the shell completions are all
 * fed from it, so that they cannot differ.
 */
struct tm_option {
  char letter;       /* 0: only the long name */
  const char *name;  /* "output" */
  const char *value; /* NULL: a flag; else what stands in the help, "PATH" */
  const char *of;    /* the commands that take it, separated by blanks; NULL: all of them. What
                        means another thing for another command is another element. */
  const char *help;  /* one sentence without a period */
};

struct tm_args;

struct tm_command {
  const char *name;     /* NULL: the program has no commands, and this is its one row */
  const char *operands; /* "[FILE|-]...", "" for none */
  const char *help;
  int (*run)(const struct tm_args *args); /* returns the exit status */
};

struct tm_program {
  const char *name;
  const char *summary;               /* one sentence for --help */
  const struct tm_command *commands; /* ends with run == NULL */
  const struct tm_option *options;   /* ends with name == NULL; --help and --version are added */
};

/* What was given on the command line. All strings are argv's. */
struct tm_args {
  const struct tm_program *program;
  const struct tm_command *command;
  struct tm_given {
    const struct tm_option *option;
    const char *value; /* "" for a flag */
  } * given;
  size_t given_len;
  char **operands; /* NULL-terminated */
  size_t operands_len;
};

/*
 * Parses, answers --help and --version, runs the command and returns the exit status for main.
 * A wrong command line: one message with the nearest known name, EX_USAGE. Sets the log's program
 * name. The locale stays "C" but for LC_CTYPE (widths of characters). `--completion bash|zsh|fish`,
 * which is for the makefile and stands in no --help, prints what that shell completes.
 */
int tm_program_main(const struct tm_program *program, int argc, char **argv);

/* The options that a command takes (all of the program's for NULL), --help and --version last. */
enum { TM_MAX_OPTIONS = 64 };
size_t tm_options_of(const struct tm_program *program, const struct tm_command *command,
                     const struct tm_option *out[TM_MAX_OPTIONS]);

/* The last value given for an option of the table; NULL when it was not given. */
const char *tm_args_get(const struct tm_args *args, const char *name);
bool tm_args_has(const struct tm_args *args, const char *name);
/* The n-th value of an option that may stand several times; NULL after the last. */
const char *tm_args_nth(const struct tm_args *args, const char *name, size_t n);

/* Says "program: OPTION VALUE: why" and returns EX_USAGE: for a value that does not parse. */
int tm_args_refuse(const struct tm_args *args, const char *name, const char *why);

#endif
