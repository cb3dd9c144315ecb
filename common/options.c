/* SPDX-License-Identifier: MIT */
#include "common/options.h"

#include "common/completion.h"
#include "common/json_memory.h"
#include "common/log.h"
#include "common/text.h"
#include "common/version.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { MAX_COMMANDS = 32, HELP_COLUMN = 26 };

static const struct tm_option help_option = {'h', "help", NULL, NULL, "show this help and exit"};
static const struct tm_option version_option = {'V', "version", NULL, NULL,
                                                "show the version and exit"};

/* Does the word stand in the blank-separated list? NULL lists mean everything. */
static bool listed(const char *list, const char *word)
{
  if (list == NULL || word == NULL)
    return true;
  size_t len = strlen(word);
  for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
    bool starts = p == list || p[-1] == ' ';
    if (starts && (p[len] == ' ' || p[len] == '\0'))
      return true;
  }
  return false;
}

size_t tm_options_of(const struct tm_program *program, const struct tm_command *command,
                     const struct tm_option *out[TM_MAX_OPTIONS])
{
  size_t n = 0;
  for (const struct tm_option *o = program->options; o->name != NULL; o++) {
    if (command == NULL || listed(o->of, command->name)) {
      assert(n < TM_MAX_OPTIONS - 2);
      out[n++] = o;
    }
  }
  out[n++] = &help_option;
  out[n++] = &version_option;
  return n;
}

/* Text from column on, broken at blanks before column 78. */
static void print_wrapped(const char *text, size_t column)
{
  size_t at = column;
  while (*text != '\0') {
    size_t word = strcspn(text, " ");
    if (at > column && at + 1 + word > 78) {
      printf("\n%*s", (int)column, "");
      at = column;
    } else if (at > column) {
      putchar(' ');
      at++;
    }
    printf("%.*s", (int)word, text);
    at += word;
    text += word;
    text += strspn(text, " ");
  }
  putchar('\n');
}

static void print_row(const char *left, const char *text)
{
  size_t len = strlen(left);
  if (len + 2 > HELP_COLUMN)
    printf("%s\n%*s", left, HELP_COLUMN, "");
  else
    printf("%-*s", HELP_COLUMN, left);
  print_wrapped(text, HELP_COLUMN);
}

static void print_options(const struct tm_program *program, const struct tm_command *command)
{
  const struct tm_option *table[TM_MAX_OPTIONS];
  size_t n = tm_options_of(program, command, table);
  printf("\nOptions:\n");
  for (size_t i = 0; i < n; i++) {
    const struct tm_option *o = table[i];
    char left[128];
    char letter[8] = "    ";
    if (o->letter != 0)
      snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    snprintf(left, sizeof(left), "  %s--%s%s%s", letter, o->name, o->value != NULL ? " " : "",
             o->value != NULL ? o->value : "");
    char text[512];
    bool some = command == NULL && o->of != NULL;
    snprintf(text, sizeof(text), "%s%s%s%s", o->help, some ? " (" : "", some ? o->of : "",
             some ? ")" : "");
    print_row(left, text);
  }
}

static void print_usage_line(const struct tm_program *program, const struct tm_command *c)
{
  printf("%s%s%s [OPTION...]%s%s\n", program->name, c->name != NULL ? " " : "",
         c->name != NULL ? c->name : "", c->operands[0] != '\0' ? " " : "", c->operands);
}

static void print_help(const struct tm_program *program, const struct tm_command *command)
{
  bool single = program->commands[0].name == NULL;
  if (single)
    command = &program->commands[0];
  printf("Usage: ");
  if (command != NULL)
    print_usage_line(program, command);
  else
    printf("%s COMMAND [OPTION...] [OPERAND...]\n", program->name);
  print_wrapped(command != NULL && !single ? command->help : program->summary, 0);
  if (command == NULL) {
    printf("\nCommands:\n");
    for (const struct tm_command *c = program->commands; c->run != NULL; c++) {
      char left[128];
      snprintf(left, sizeof(left), "  %s %s", c->name, c->operands);
      print_row(left, c->help);
    }
  }
  print_options(program, command);
}

static int refuse_command(const struct tm_program *program, const char *typed)
{
  const char *names[MAX_COMMANDS + 1];
  size_t n = 0;
  for (const struct tm_command *c = program->commands; c->run != NULL; c++) {
    assert(n < MAX_COMMANDS);
    names[n++] = c->name;
  }
  names[n] = NULL;
  const char *near = tm_text_nearest(typed, names);
  if (near != NULL)
    tm_log_error("no such command '%s'; did you mean '%s'?", typed, near);
  else
    tm_log_error("no such command '%s'; see '%s --help'", typed, program->name);
  return EX_USAGE;
}

static int refuse_option(const struct tm_program *program, const struct tm_option *const *table,
                         size_t n, const char *typed, int letter)
{
  const char *names[TM_MAX_OPTIONS + 1];
  for (size_t i = 0; i < n; i++)
    names[i] = table[i]->name;
  names[n] = NULL;
  char bare[64];
  snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(typed + strspn(typed, "-"), "="),
           typed + strspn(typed, "-"));
  const char *near = letter == 0 ? tm_text_nearest(bare, names) : NULL;
  if (near != NULL && strcmp(near, bare) == 0)
    tm_log_error("option '--%s' takes no value", bare);
  else if (near != NULL)
    tm_log_error("no such option '--%s'; did you mean '--%s'?", bare, near);
  else if (letter != 0)
    tm_log_error("no such option '-%c'; see '%s --help'", letter, program->name);
  else
    tm_log_error("no such option '--%s'; see '%s --help'", bare, program->name);
  return EX_USAGE;
}

/* getopt over the command's table. EX_OK, or the status to leave with; -1: go on and run. */
static int parse(struct tm_args *args, int argc, char **argv)
{
  const struct tm_option *table[TM_MAX_OPTIONS];
  size_t n = tm_options_of(args->program, args->command, table);
  struct option longs[TM_MAX_OPTIONS + 1] = {0};
  char shorts[2 * TM_MAX_OPTIONS + 2] = ":";
  size_t s = 1;
  for (size_t i = 0; i < n; i++) {
    int has = table[i]->value != NULL ? required_argument : no_argument;
    longs[i] = (struct option){table[i]->name, has, NULL, 256 + (int)i};
    if (table[i]->letter != 0) {
      shorts[s++] = table[i]->letter;
      if (has == required_argument)
        shorts[s++] = ':';
    }
  }
  shorts[s] = '\0';
  opterr = 0;
  optind = 0;
  for (;;) {
    int at = optind > 0 ? optind : 1;
    int c = getopt_long(argc, argv, shorts, longs, NULL);
    if (c == -1)
      break;
    if (c == ':') {
      tm_log_error("option '%s' needs a value", argv[optind - 1]);
      return EX_USAGE;
    }
    if (c == '?')
      return refuse_option(args->program, table, n, argv[optind - 1 > at ? optind - 1 : at],
                           optopt < 256 ? optopt : 0);
    size_t i = 0;
    while (i + 1 < n && (c < 256 ? table[i]->letter != c : i != (size_t)c - 256))
      i++;
    if (table[i] == &help_option || table[i] == &version_option) {
      if (table[i] == &help_option)
        print_help(args->program, args->command);
      else
        printf("%s %s\n", args->program->name, TM_VERSION);
      return EX_OK;
    }
    args->given[args->given_len++] = (struct tm_given){table[i], optarg != NULL ? optarg : ""};
  }
  args->operands = argv + optind;
  args->operands_len = (size_t)(argc - optind);
  return -1;
}

/* The next file to be opened would get the number of a stream that the caller has closed, and what
 * is printed would go into it. What stands there instead fails as a closed one does. */
static bool hold_streams(void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
        open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      return false;
  }
  return true;
}

int tm_program_main(const struct tm_program *program, int argc, char **argv)
{
  if (!hold_streams())
    return EX_OSERR;
  tm_log_program(program->name);
  tm_json_guard_memory();
  setlocale(LC_CTYPE, "");
  if (argc == 3 && strcmp(argv[1], "--completion") == 0 &&
      tm_completion_print(program, argv[2]) == 0)
    return fflush(stdout) == 0 && !ferror(stdout) ? EX_OK : EX_IOERR;
  struct tm_args args = {.program = program, .command = &program->commands[0]};
  if (args.command->name != NULL) {
    const char *typed = argc > 1 ? argv[1] : NULL;
    if (typed == NULL) {
      tm_log_error("no command given; see '%s --help'", program->name);
      return EX_USAGE;
    }
    if (typed[0] == '-') {
      args.command = NULL;
    } else {
      while (args.command->run != NULL && strcmp(args.command->name, typed) != 0)
        args.command++;
      if (args.command->run == NULL)
        return refuse_command(program, typed);
      argc--;
      argv++;
    }
  }
  /* No more options than arguments, but for the letters of one cluster such as -abc. */
  size_t most = 1;
  for (int i = 1; i < argc; i++)
    most += strlen(argv[i]) + 1;
  args.given = calloc(most, sizeof(*args.given));
  if (args.given == NULL) {
    tm_log_error("out of memory");
    return EX_OSERR;
  }
  int status = parse(&args, argc, argv);
  if (status < 0 && args.command == NULL) {
    tm_log_error("no command given; see '%s --help'", program->name);
    status = EX_USAGE;
  } else if (status < 0 && args.command->operands[0] == '\0' && args.operands_len > 0) {
    tm_log_error("'%s' is not expected here; see '%s --help'", args.operands[0], program->name);
    status = EX_USAGE;
  } else if (status < 0) {
    status = args.command->run(&args);
  }
  free(args.given);
  if (status == EX_OK && tm_json_starved()) {
    tm_log_error("out of memory");
    status = EX_TEMPFAIL;
  }
  /* A failure in the middle is remembered; what came after it may have gone out. */
  if ((fflush(stdout) != 0 || ferror(stdout)) && status == EX_OK) {
    tm_log_error("standard output: cannot write");
    status = EX_IOERR;
  }
  return status;
}

const char *tm_args_nth(const struct tm_args *args, const char *name, size_t n)
{
  for (size_t i = 0; i < args->given_len; i++) {
    if (strcmp(args->given[i].option->name, name) == 0 && n-- == 0)
      return args->given[i].value;
  }
  return NULL;
}

const char *tm_args_get(const struct tm_args *args, const char *name)
{
  for (size_t i = args->given_len; i > 0; i--) {
    if (strcmp(args->given[i - 1].option->name, name) == 0)
      return args->given[i - 1].value;
  }
  return NULL;
}

bool tm_args_has(const struct tm_args *args, const char *name)
{
  return tm_args_get(args, name) != NULL;
}

int tm_args_refuse(const struct tm_args *args, const char *name, const char *why)
{
  const char *value = tm_args_get(args, name);
  tm_log_error("--%s %s: %s", name, value != NULL ? value : "", why);
  return EX_USAGE;
}
