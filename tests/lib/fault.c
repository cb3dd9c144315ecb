/* SPDX-License-Identifier: MIT */
/*
 * Loaded before a program (LD_PRELOAD): memory that runs out at the n-th call, and a clock that
 * jumps at the n-th look at it. tests/lib/fault_scene.py drives it by a page of memory that both
 * map, so that a program which is running already can be told when; nothing here makes a system
 * call at the moment of the fault, for a confined process may make none.
 *
 * In the environment: FAULT_PAGE, the file of the page; FAULT_PROGRAM, the name of the program that
 * is meant, for its children and those that start it load this too; FAULT_MARK, set where strace
 * shall see where the program itself begins, behind the loader.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { FRAMES = 28, STORY = 4096 };

/* As fault_scene.py has it. */
struct page {
  uint64_t at;       /* the call for memory that fails; 0: none */
  uint64_t on;       /* and all behind it */
  uint64_t calls;    /* for memory, so far */
  uint64_t failed;   /* of these */
  uint64_t clock_at; /* from this look at the clock on it shows another time; 0: never */
  int64_t jump_s;    /* so many seconds off */
  uint64_t looks;    /* at the clock, so far */
  int64_t stopped_s; /* the clock stands at this time, before a jump; 0: it runs */
  uint64_t spared;   /* calls that were to fail, and were made by the library below */
  char module[64];   /* only calls with this library among those that make them; "": all */
  char except[64];   /* what this library asks for itself is given to it; "": no such library */
  char fault[STORY]; /* who made the first call that failed: lines of FILE OFFSET SYMBOL */
  char crash[STORY]; /* and where the program died: "signal N", and then the same */
};

static struct page *page;
static __thread bool inside __attribute__((tls_model("initial-exec")));

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* --- who ------------------------------------------------------------------------------------ */

static void tell(char *story, void *const *frames, int n)
{
  size_t at = strlen(story);
  for (int i = 0; i < n && at < STORY - 1; i++) {
    Dl_info found = {0};
    if (dladdr(frames[i], &found) == 0 || found.dli_fname == NULL)
      continue;
    int len = snprintf(story + at, STORY - at, "%s %#lx %s\n", found.dli_fname,
                       (unsigned long)((char *)frames[i] - (char *)found.dli_fbase),
                       found.dli_sname != NULL ? found.dli_sname : "?");
    if (len > 0)
      at += (size_t)len;
  }
}

struct range {
  const char *name;
  uintptr_t low, high;
};

static int find_range(struct dl_phdr_info *info, size_t size, void *arg)
{
  struct range *r = arg;
  (void)size;
  const char *slash = strrchr(info->dlpi_name, '/');
  if (strcmp(slash != NULL ? slash + 1 : info->dlpi_name, r->name) != 0)
    return 0;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD) {
      r->low = r->low != 0 ? r->low : info->dlpi_addr;
      r->high = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    }
  return 1;
}

/* True when one of the frames lies in the library of that name, once it is loaded. */
static bool any_in(struct range *r, const char *name, void *const *frames, int n)
{
  r->name = name;
  if (r->low == 0)
    dl_iterate_phdr(find_range, r);
  for (int i = 0; i < n; i++)
    if ((uintptr_t)frames[i] >= r->low && (uintptr_t)frames[i] < r->high)
      return true;
  return false;
}

/* --- memory --------------------------------------------------------------------------------- */

/* True when this call is to fail. */
static bool fails(void)
{
  static struct range module, except;
  if (page == NULL || inside)
    return false;
  void *frames[FRAMES];
  int n = 0;
  bool here = true;
  inside = true;
  if (page->module[0] != '\0') {
    n = backtrace(frames, FRAMES);
    here = any_in(&module, page->module, frames, n);
  }
  bool failing = false;
  if (here) {
    uint64_t call = __atomic_add_fetch(&page->calls, 1, __ATOMIC_RELAXED);
    uint64_t at = __atomic_load_n(&page->at, __ATOMIC_RELAXED);
    failing = at != 0 && (call == at || (call > at && page->on != 0));
  }
  if (failing && page->except[0] != '\0') {
    n = n != 0 ? n : backtrace(frames, FRAMES);
    if (any_in(&except, page->except, frames, n)) {
      __atomic_add_fetch(&page->spared, 1, __ATOMIC_RELAXED);
      failing = false;
    }
  }
  if (failing && __atomic_fetch_add(&page->failed, 1, __ATOMIC_RELAXED) == 0)
    tell(page->fault, frames, n != 0 ? n : backtrace(frames, FRAMES));
  inside = false;
  if (failing)
    errno = ENOMEM;
  return failing;
}

EXPORT void *malloc(size_t size)
{
  return fails() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
  return fails() ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *old, size_t size)
{
  return fails() ? NULL : __libc_realloc(old, size);
}

EXPORT void *reallocarray(void *old, size_t n, size_t size)
{
  size_t bytes;
  if (__builtin_mul_overflow(n, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return fails() ? NULL : __libc_realloc(old, bytes);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
  return fails() ? NULL : __libc_memalign(alignment, size);
}

EXPORT int posix_memalign(void **out, size_t alignment, size_t size)
{
  void *made = fails() ? NULL : __libc_memalign(alignment, size);
  if (made == NULL)
    return ENOMEM;
  *out = made;
  return 0;
}

/* --- the clock ------------------------------------------------------------------------------ */

static int look(struct timespec *t)
{
  static int (*real)(clockid_t, struct timespec *);
  if (real == NULL)
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int rc = real(CLOCK_REALTIME, t);
  if (rc != 0 || page == NULL)
    return rc;
  if (page->stopped_s != 0)
    *t = (struct timespec){.tv_sec = page->stopped_s};
  uint64_t n = __atomic_add_fetch(&page->looks, 1, __ATOMIC_RELAXED);
  if (page->clock_at != 0 && n >= page->clock_at)
    t->tv_sec += page->jump_s;
  return 0;
}

EXPORT int clock_gettime(clockid_t id, struct timespec *t)
{
  static int (*real)(clockid_t, struct timespec *);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
    return look(t);
  if (real == NULL)
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  return real(id, t);
}

EXPORT time_t time(time_t *out)
{
  struct timespec t = {0};
  look(&t);
  if (out != NULL)
    *out = t.tv_sec;
  return t.tv_sec;
}

EXPORT int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
  (void)zone;
  struct timespec t;
  int rc = look(&t);
  if (rc == 0)
    *out = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
  return rc;
}

/* --- the end, and the beginning ------------------------------------------------------------- */

static void die(int signal_number)
{
  void *frames[FRAMES];
  inside = true;
  if (page != NULL && page->crash[0] == '\0') {
    snprintf(page->crash, STORY, "signal %d\n", signal_number);
    tell(page->crash, frames, backtrace(frames, FRAMES));
  }
  raise(signal_number); /* its handler is gone: SA_RESETHAND */
}

static void watch(void)
{
  static const int deadly[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
  static char stack[65536];
  sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
  struct sigaction action = {.sa_handler = die, .sa_flags = SA_RESETHAND | SA_NODEFER | SA_ONSTACK};
  for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
    sigaction(deadly[i], &action, NULL);
}

/* The libraries' own constructors have run: what fails in those is no work of this program's. */
static void __attribute__((constructor)) begin(void)
{
  const char *program = getenv("FAULT_PROGRAM"), *path = getenv("FAULT_PAGE");
  if (program == NULL || strcmp(program, program_invocation_short_name) != 0)
    return;
  void *frames[2];
  backtrace(frames, 2); /* loads what it needs, now that there is memory */
  struct timespec t;
  look(&t);
  clock_gettime(CLOCK_MONOTONIC, &t);
  int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd >= 0) {
    struct page *mapped = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    watch();
    page = mapped != MAP_FAILED ? mapped : NULL;
  }
  if (getenv("FAULT_MARK") != NULL)
    (void)!access("/tidemark/begins", F_OK);
}
