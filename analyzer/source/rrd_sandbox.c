/* SPDX-License-Identifier: MIT */
#include "analyzer/source/rrd_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sanitizers need calls and address space of their own; they and counters write what they find. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(TM_COVERAGE)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

#define MAX_MEMORY (1UL << 30)
#define MAX_FILES  256

static void limit(int what, rlim_t value)
{
  struct rlimit now;
  if (getrlimit(what, &now) == 0 && (now.rlim_max == RLIM_INFINITY || now.rlim_max > value))
    setrlimit(what, &(struct rlimit){value, value});
}

/* For root a change of root confines as well as Landlock, and costs nothing at each open. */
static bool confine_by_root(int folder_fd)
{
  return fchdir(folder_fd) == 0 && chroot(".") == 0;
}

/* Kernels before 5.13, or without it, read on without: seccomp stands. */
static void confine_by_landlock(int folder_fd)
{
  struct landlock_ruleset_attr all = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
  struct landlock_path_beneath_attr beneath = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
                                                                 LANDLOCK_ACCESS_FS_READ_DIR,
                                               .parent_fd = folder_fd};
  int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
  if (rules < 0)
    return;
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0)
    syscall(SYS_landlock_restrict_self, rules, 0);
  close(rules);
}

static int allow_calls(scmp_filter_ctx filter)
{
  static const int plain[] = {SCMP_SYS(pread64),
                              SCMP_SYS(close),
                              SCMP_SYS(fstat),
                              SCMP_SYS(newfstatat),
                              SCMP_SYS(getdents64),
                              SCMP_SYS(futex),
                              SCMP_SYS(read),
                              SCMP_SYS(clock_gettime),
                              SCMP_SYS(nanosleep),
                              SCMP_SYS(clock_nanosleep),
                              SCMP_SYS(restart_syscall),
                              SCMP_SYS(munmap),
                              SCMP_SYS(mremap),
                              SCMP_SYS(brk),
                              SCMP_SYS(madvise),
                              SCMP_SYS(sched_yield),
                              SCMP_SYS(rt_sigreturn),
                              SCMP_SYS(exit),
                              SCMP_SYS(exit_group),
                              SCMP_SYS(getpid),
                              SCMP_SYS(fadvise64),
                              SCMP_SYS(getrusage)};
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < sizeof(plain) / sizeof(plain[0]); i++)
    rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain[i], 0);
  /* What is looked at in each call stands first: these two are asked for each file. */
  if (rc == 0)
    rc = seccomp_syscall_priority(filter, SCMP_SYS(openat), 255);
  if (rc == 0)
    rc = seccomp_syscall_priority(filter, SCMP_SYS(fcntl), 254);
  if (rc == 0) /* for reading only */
    rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
  if (rc == 0) /* to ask for a lock, not to take one */
    rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                          SCMP_A1(SCMP_CMP_EQ, F_GETLK, 0));
  if (rc == 0)
    rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  return rc;
}

int rrd_sandbox_enter(int folder_fd)
{
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, MAX_FILES);
  if (INSTRUMENTED)
    return 0;
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_AS, MAX_MEMORY);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return -errno;
  if (!confine_by_root(folder_fd))
    confine_by_landlock(folder_fd);
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == NULL)
    return -ENOMEM;
  int rc = allow_calls(filter);
  if (rc == 0)
    rc = seccomp_load(filter);
  seccomp_release(filter);
  return rc;
}
