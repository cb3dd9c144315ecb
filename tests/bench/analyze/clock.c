/* SPDX-License-Identifier: MIT */
/* clock FILE COMMAND ARG...: run it, write "wall_s cpu_s maxrss_kb status" to
 * FILE.  A small parent, so that the peak is the command's own. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct timespec a, b;
  struct rusage r;
  int st = 0;
  if (argc < 3)
    return 2;
  clock_gettime(CLOCK_MONOTONIC, &a);
  pid_t p = fork();
  if (p == 0) {
    dup2(open("/dev/null", O_RDWR), 1);
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  wait4(p, &st, 0, &r);
  clock_gettime(CLOCK_MONOTONIC, &b);
  FILE *f = fopen(argv[1], "w");
  if (!f)
    return 1;
  fprintf(f, "%.6f %.6f %ld %d\n",
          (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9,
          (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
              (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6,
          r.ru_maxrss, WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st));
  return fclose(f) != 0;
}
