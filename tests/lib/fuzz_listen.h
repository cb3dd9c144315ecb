/* SPDX-License-Identifier: MIT */
#ifndef TM_TESTS_FUZZ_LISTEN_H
#define TM_TESTS_FUZZ_LISTEN_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Listens on a free port of 127.0.0.1 and lets a thread of its own serve it. Returns the port; the
 * listening socket is in *listener before the thread begins. */
static inline int fuzz_listen(int *listener, void *(*serve)(void *))
{
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(here);
  pthread_t thread;
  signal(SIGPIPE, SIG_IGN);
  *listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (*listener < 0 || bind(*listener, (struct sockaddr *)&here, len) < 0 ||
      listen(*listener, 8) < 0 || getsockname(*listener, (struct sockaddr *)&here, &len) < 0 ||
      pthread_create(&thread, NULL, serve, NULL) != 0)
    abort();
  pthread_detach(thread);
  return ntohs(here.sin_port);
}

/* The next connection. libFuzzer's alarm may reach the thread that waits for it. */
static inline int fuzz_accept(int listener)
{
  int fd;
  do
    fd = accept(listener, NULL, NULL);
  while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0)
    abort();
  return fd;
}

#endif
