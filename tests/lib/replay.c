/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files or folders of files given as arguments: the corpus and every
 * finding of the past, without libFuzzer. Exit status 0 when all were run; a finding crashes.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long replayed;

static int replay_file(const char *path, size_t size)
{
  FILE *f = fopen(path, "rbe");
  if (f == NULL) {
    perror(path);
    return -1;
  }
  /* Exactly the file's size, so that the sanitizer sees one byte too many. */
  uint8_t *data = malloc(size > 0 ? size : 1);
  size_t n = data != NULL ? fread(data, 1, size, f) : 0;
  fclose(f);
  if (data != NULL)
    LLVMFuzzerTestOneInput(data, n);
  free(data);
  replayed++;
  return 0;
}

static int replay(const char *path)
{
  struct stat st;
  if (stat(path, &st) < 0) {
    perror(path);
    return -1;
  }
  if (!S_ISDIR(st.st_mode))
    return replay_file(path, (size_t)st.st_size);
  struct dirent **names = NULL;
  int n = scandir(path, &names, NULL, alphasort);
  int rc = n < 0 ? -1 : 0;
  for (int i = 0; i < n; i++) {
    char full[4096];
    if (names[i]->d_name[0] != '.') {
      snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);
      rc |= replay(full);
    }
    free(names[i]);
  }
  free(names);
  return rc;
}

int main(int argc, char **argv)
{
  int rc = 0;
  for (int i = 1; i < argc; i++)
    rc |= replay(argv[i]);
  printf("%lu inputs replayed\n", replayed);
  return rc != 0 || replayed == 0;
}
