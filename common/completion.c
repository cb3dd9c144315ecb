/* SPDX-License-Identifier: MIT */
#include "common/completion.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What completes a value or an operand. */
enum kind { OWN, FILES, FOLDERS, WORDS };

/* Of "PATH", "[FILE|-]...", "mail|link|timer", "add|rotate [CUSTOMER SITE]": the kind, and with
 * WORDS how long the list is. */
static enum kind kind_of(const char *name, size_t *len)
{
  *len = strcspn(name, " ");
  if (memchr(name, '|', *len) != NULL && name[0] >= 'a' && name[0] <= 'z')
    return WORDS;
  if (strstr(name, "FILE") != NULL || strstr(name, "PATH") != NULL ||
      strstr(name, "MAPPING") != NULL)
    return FILES;
  if (strstr(name, "DIR") != NULL)
    return FOLDERS;
  return OWN;
}

/* The words of a list A|B|C, parted by blanks. */
static void print_words(const char *list, size_t len)
{
  for (size_t i = 0; i < len; i++)
    putchar(list[i] == '|' ? ' ' : list[i]);
}

/* Text in a single-quoted word; what the shell's own syntax would take for its own is escaped. */
static void print_quoted(const char *text, const char *escaped)
{
  for (; *text != '\0'; text++) {
    if (*text == '\'')
      printf("'\\''");
    else if (strchr(escaped, *text) != NULL)
      printf("\\%c", *text);
    else
      putchar(*text);
  }
}

static void print_function(const struct tm_program *program)
{
  putchar('_');
  for (const char *p = program->name; *p != '\0'; p++)
    putchar(*p == '-' ? '_' : *p);
}

/* --- bash ------------------------------------------------------------------------------------ */

/* The command that fills COMPREPLY with what completes this; nothing is completed without one. */
static void print_bash_kind(const char *name)
{
  size_t len;
  switch (kind_of(name, &len)) {
  case FILES:
    printf("compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")");
    break;
  case FOLDERS:
    printf("compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")");
    break;
  case WORDS:
    printf("mapfile -t COMPREPLY < <(compgen -W '");
    print_words(name, len);
    printf("' -- \"$cur\")");
    break;
  case OWN:
    putchar(':');
    break;
  }
}

/* The option as the last word but one, after a command of this name, or (NULL) after any. */
static void print_bash_pattern(const char *command, size_t len, const struct tm_option *o)
{
  const char *any = command == NULL ? "*" : "";
  printf("%s'%.*s --%s'", any, (int)len, command != NULL ? command : "", o->name);
  if (o->letter != 0)
    printf("|%s'%.*s -%c'", any, (int)len, command != NULL ? command : "", o->letter);
}

static void print_bash_values(const struct tm_program *program)
{
  printf("  case \"${COMP_WORDS[1]} $prev\" in\n");
  for (const struct tm_option *o = program->options; o->name != NULL; o++) {
    if (o->value == NULL)
      continue;
    printf("    ");
    if (o->of == NULL)
      print_bash_pattern(NULL, 0, o);
    for (const char *c = o->of; c != NULL && *c != '\0'; c += strspn(c, " ")) {
      size_t len = strcspn(c, " ");
      print_bash_pattern(c, len, o);
      c += len;
      if (*c != '\0')
        putchar('|');
    }
    printf(")\n      ");
    print_bash_kind(o->value);
    printf("\n      return ;;\n");
  }
  printf("  esac\n");
}

static void print_bash_command(const struct tm_program *program, const struct tm_command *c)
{
  const struct tm_option *table[TM_MAX_OPTIONS];
  size_t n = tm_options_of(program, c, table);
  printf("    %s)\n      if [[ $cur == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W '",
         c->name != NULL ? c->name : "*");
  for (size_t i = 0; i < n; i++)
    printf("%s--%s", i > 0 ? " " : "", table[i]->name);
  printf("' -- \"$cur\")\n      else\n        ");
  size_t len;
  if (kind_of(c->operands, &len) == WORDS) {
    printf("if [[ $COMP_CWORD -eq 2 ]]; then ");
    print_bash_kind(c->operands);
    printf("\n        else ");
    print_bash_kind(c->operands + len);
    printf("; fi");
  } else {
    print_bash_kind(c->operands);
  }
  printf("\n      fi ;;\n");
}

static void print_bash(const struct tm_program *program)
{
  printf("# bash completion for %s, made from its table of options\n", program->name);
  print_function(program);
  printf("()\n{\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  COMPREPLY=()\n"
         "  # --name=value comes as three words.\n"
         "  if [[ $cur == = ]]; then cur=\n"
         "  elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n");
  print_bash_values(program);
  if (program->commands[0].name != NULL) {
    printf("  if [[ $COMP_CWORD -eq 1 ]]; then\n    mapfile -t COMPREPLY < <(compgen -W '");
    for (const struct tm_command *c = program->commands; c->run != NULL; c++)
      printf("%s ", c->name);
    printf("--help --version' -- \"$cur\")\n    return\n  fi\n");
  }
  printf("  case ${COMP_WORDS[1]} in\n");
  for (const struct tm_command *c = program->commands; c->run != NULL; c++)
    print_bash_command(program, c);
  printf("  esac\n}\ncomplete -F ");
  print_function(program);
  printf(" %s\n", program->name);
}

/* --- zsh ------------------------------------------------------------------------------------- */

/* The last part of a specification of _arguments. */
static void print_zsh_kind(const char *name)
{
  size_t len;
  enum kind kind = kind_of(name, &len);
  if (kind == FILES || kind == FOLDERS) {
    printf("%s", kind == FILES ? "_files" : "_files -/");
  } else if (kind == WORDS) {
    putchar('(');
    print_words(name, len);
    putchar(')');
  } else {
    putchar(' ');
  }
}

static void print_zsh_command(const struct tm_program *program, const struct tm_command *c)
{
  const struct tm_option *table[TM_MAX_OPTIONS];
  size_t n = tm_options_of(program, c, table);
  printf("_arguments -s");
  for (size_t i = 0; i < n; i++) {
    const struct tm_option *o = table[i];
    if (o->letter != 0)
      printf(" \\\n      '(-%c --%s)'{-%c,--%s}'[", o->letter, o->name, o->letter, o->name);
    else
      printf(" \\\n      '--%s[", o->name);
    print_quoted(o->help, "[]:\\");
    putchar(']');
    if (o->value != NULL) {
      printf(":%.*s:", (int)strcspn(o->value, "|:"), o->value);
      print_zsh_kind(o->value);
    }
    putchar('\'');
  }
  size_t len;
  const char *operands = c->operands;
  if (kind_of(operands, &len) == WORDS) {
    printf(" \\\n      '1:operand:");
    print_zsh_kind(operands);
    putchar('\'');
    operands += len;
  }
  if (operands[0] != '\0') {
    printf(" \\\n      '*:operand:");
    print_zsh_kind(operands);
    putchar('\'');
  }
}

static void print_zsh(const struct tm_program *program)
{
  printf("#compdef %s\n# Made from its table of options.\n", program->name);
  if (program->commands[0].name == NULL) {
    print_zsh_command(program, &program->commands[0]);
    putchar('\n');
    return;
  }
  printf("local context state state_descr line\ntypeset -A opt_args\n"
         "_arguments -C '1:command:->command' '*::argument:->argument' && return\n"
         "case $state in\n  command)\n    local -a commands=(\n");
  for (const struct tm_command *c = program->commands; c->run != NULL; c++) {
    printf("      '%s:", c->name);
    print_quoted(c->help, ":\\");
    printf("'\n");
  }
  printf("    )\n    _describe command commands ;;\n  argument)\n    case $words[1] in\n");
  for (const struct tm_command *c = program->commands; c->run != NULL; c++) {
    printf("    %s) ", c->name);
    print_zsh_command(program, c);
    printf(" ;;\n");
  }
  printf("    esac ;;\nesac\n");
}

/* --- fish ------------------------------------------------------------------------------------ */

static void print_fish_kind(const char *name)
{
  size_t len;
  enum kind kind = kind_of(name, &len);
  if (kind == FILES) {
    printf(" -F");
  } else if (kind == FOLDERS) {
    printf(" -a '(__fish_complete_directories)'");
  } else if (kind == WORDS) {
    printf(" -a '");
    print_words(name, len);
    putchar('\'');
  }
}

static void print_fish(const struct tm_program *program)
{
  bool commands = program->commands[0].name != NULL;
  printf("# Made from the table of options of %s.\ncomplete -c %s -f\n", program->name,
         program->name);
  for (const struct tm_command *c = program->commands; c->run != NULL; c++) {
    if (commands) {
      printf("complete -c %s -n __fish_use_subcommand -a %s -d '", program->name, c->name);
      print_quoted(c->help, "\\");
      printf("'\n");
    }
    size_t len;
    if (kind_of(c->operands, &len) != OWN) {
      printf("complete -c %s", program->name);
      if (commands)
        printf(" -n '__fish_seen_subcommand_from %s'", c->name);
      print_fish_kind(c->operands);
      putchar('\n');
    }
  }
  const struct tm_option *table[TM_MAX_OPTIONS];
  size_t n = tm_options_of(program, NULL, table);
  for (size_t i = 0; i < n; i++) {
    const struct tm_option *o = table[i];
    printf("complete -c %s", program->name);
    if (o->of != NULL)
      printf(" -n '__fish_seen_subcommand_from %s'", o->of);
    if (o->letter != 0)
      printf(" -s %c", o->letter);
    printf(" -l %s -d '", o->name);
    print_quoted(o->help, "\\");
    putchar('\'');
    if (o->value != NULL) {
      printf(" -r");
      print_fish_kind(o->value);
    }
    putchar('\n');
  }
}

int tm_completion_print(const struct tm_program *program, const char *shell)
{
  if (strcmp(shell, "bash") == 0)
    print_bash(program);
  else if (strcmp(shell, "zsh") == 0)
    print_zsh(program);
  else if (strcmp(shell, "fish") == 0)
    print_fish(program);
  else
    return -EINVAL;
  return 0;
}
