/* SPDX-License-Identifier: MIT */
/*
 * agent - an SNMPv2c agent made to be faster than any poller.
 *
 *   agent PORT [INTERFACES] [THREADS] [DELAY_MS]     on 127.0.0.1 only
 *   DELAY_MS: every answer leaves that much later (a device's, a line's latency)
 *
 * system group, IF-MIB ifTable/ifXTable columns for INTERFACES interfaces, and
 * 1.3.6.1.4.1.99999.1.{1,2,3}.0 (Counter64: capacity, used, operations).
 * GET, GETNEXT, GETBULK; every community.  All devices share the one port: a
 * poller opens one session per device.  Each second it prints to stdout:
 * requests, varbinds, its own CPU seconds.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct var {
  uint8_t oid[40], vb[160];
  uint16_t oidlen, vblen;
};
static struct var *mib;
static size_t nmib;
static _Atomic long requests, varbinds;

static int put_oid(uint8_t *o, const uint32_t *id, int n)
{
  int k = 0;
  o[k++] = (uint8_t)(id[0] * 40 + id[1]);
  for (int i = 2; i < n; i++) {
    uint32_t v = id[i];
    int sh = 28;
    while (sh && !(v >> sh))
      sh -= 7;
    for (; sh; sh -= 7)
      o[k++] = (uint8_t)(0x80 | ((v >> sh) & 0x7f));
    o[k++] = v & 0x7f;
  }
  return k;
}
static int put_num(uint8_t *o, uint8_t tag, uint64_t v)
{
  int n = 1;
  while (n < 9 && v >> (8 * n - 1))
    n++;
  o[0] = tag;
  o[1] = (uint8_t)n;
  for (int i = 0; i < n; i++)
    o[2 + i] = n - 1 - i >= 8 ? 0 : (uint8_t)(v >> (8 * (n - 1 - i)));
  return n + 2;
}
static void add(const char *oid, uint8_t tag, uint64_t num, const char *str)
{
  uint32_t id[32];
  int n = 0;
  char *e;
  for (const char *p = oid; *p; p = *e ? e + 1 : e)
    id[n++] = (uint32_t)strtoul(p, &e, 10);
  mib = realloc(mib, (nmib + 1) * sizeof(*mib));
  struct var *v = &mib[nmib++];
  v->oidlen = (uint16_t)put_oid(v->oid, id, n);
  uint8_t val[100];
  int k;
  if (str) {
    k = (int)strlen(str);
    val[0] = tag, val[1] = (uint8_t)k;
    memcpy(val + 2, str, (size_t)k);
    k += 2;
  } else
    k = put_num(val, tag, num);
  v->vb[0] = 0x30, v->vb[1] = (uint8_t)(2 + v->oidlen + k);
  v->vb[2] = 6, v->vb[3] = (uint8_t)v->oidlen;
  memcpy(v->vb + 4, v->oid, v->oidlen);
  memcpy(v->vb + 4 + v->oidlen, val, (size_t)k);
  v->vblen = (uint16_t)(4 + v->oidlen + k);
}
/* BER keeps the order of OIDs when compared arc by arc; arcs of the same
 * length compare as bytes, a longer encoding is a larger arc */
static int cmp(const uint8_t *a, int na, const uint8_t *b, int nb)
{
  int i = 0, j = 0;
  while (i < na && j < nb) {
    uint32_t x = 0, y = 0;
    do
      x = x << 7 | (a[i] & 0x7f);
    while (a[i++] & 0x80 && i < na);
    do
      y = y << 7 | (b[j] & 0x7f);
    while (b[j++] & 0x80 && j < nb);
    if (x != y)
      return x < y ? -1 : 1;
  }
  return (na - i > 0) - (nb - j > 0);
}
static int by_oid(const void *a, const void *b)
{
  const struct var *x = a, *y = b;
  return cmp(x->oid, x->oidlen, y->oid, y->oidlen);
}
static size_t lower(const uint8_t *o, int n, int *exact)
{
  size_t lo = 0, hi = nmib;
  while (lo < hi) {
    size_t m = (lo + hi) / 2;
    if (cmp(mib[m].oid, mib[m].oidlen, o, n) < 0)
      lo = m + 1;
    else
      hi = m;
  }
  *exact = lo < nmib && cmp(mib[lo].oid, mib[lo].oidlen, o, n) == 0;
  return lo;
}
static int tlv(const uint8_t **p, const uint8_t *end, int *tag, int *len)
{
  if (end - *p < 2)
    return -1;
  *tag = *(*p)++;
  int l = *(*p)++;
  if (l & 0x80) {
    int n = l & 0x7f;
    l = 0;
    while (n-- && *p < end)
      l = l << 8 | *(*p)++;
  }
  *len = l;
  return *p + l <= end ? 0 : -1;
}
static int num(const uint8_t **p, const uint8_t *end)
{
  int t, l, v = 0;
  if (tlv(p, end, &t, &l))
    return 0;
  while (l--)
    v = v << 8 | *(*p)++;
  return v;
}
static uint8_t *hdr(uint8_t *o, uint8_t tag, size_t n)
{ /* 4 bytes, always */
  o[0] = tag, o[1] = 0x82, o[2] = (uint8_t)(n >> 8), o[3] = (uint8_t)n;
  return o + 4;
}
enum { ROOM = 8000 };
static size_t end_of(uint8_t *o, const uint8_t *oid, int n, uint8_t why)
{
  o[0] = 0x30, o[1] = (uint8_t)(n + 4), o[2] = 6, o[3] = (uint8_t)n;
  memcpy(o + 4, oid, (size_t)n);
  o[4 + n] = why, o[5 + n] = 0;
  return (size_t)n + 6;
}
static size_t answer(const uint8_t *in, size_t nin, uint8_t *out)
{
  const uint8_t *p = in, *end = in + nin;
  int t, l, pdu;
  if (tlv(&p, end, &t, &l) || t != 0x30)
    return 0;
  const uint8_t *vercom = p;
  if (tlv(&p, end, &t, &l))
    return 0;
  p += l;
  if (tlv(&p, end, &t, &l))
    return 0;
  p += l;
  size_t nver = (size_t)(p - vercom);
  if (tlv(&p, end, &pdu, &l))
    return 0;
  const uint8_t *rid = p;
  if (tlv(&p, end, &t, &l))
    return 0;
  p += l;
  size_t nrid = (size_t)(p - rid);
  int nonrep = num(&p, end), reps = num(&p, end), k = 0;
  if (pdu == 0xa0 || pdu == 0xa1)
    nonrep = 1 << 20, reps = 0;
  else if (pdu != 0xa5)
    return 0;
  if (tlv(&p, end, &t, &l) || t != 0x30)
    return 0;
  static __thread uint8_t vbs[ROOM + 400];
  size_t n = 0, at[64];
  int nrep = 0;
  for (; p < end; k++) {
    int vt, vl, ot, ol, exact;
    if (tlv(&p, end, &vt, &vl))
      return 0;
    const uint8_t *next = p + vl;
    if (tlv(&p, end, &ot, &ol) || ot != 6)
      return 0;
    size_t i = lower(p, ol, &exact);
    if (pdu != 0xa0)
      i += (size_t)exact;
    if (k < nonrep) {
      if (n > ROOM)
        break;
      if (pdu == 0xa0 ? !exact : i >= nmib)
        n += end_of(vbs + n, p, ol, pdu == 0xa0 ? 0x81 : 0x82);
      else
        memcpy(vbs + n, mib[i].vb, mib[i].vblen), n += mib[i].vblen;
      varbinds++;
    } else if (nrep < 64)
      at[nrep++] = i;
    p = next;
  }
  for (int r = 0; r < reps && n < ROOM; r++) {
    int live = 0;
    for (int c = 0; c < nrep && n < ROOM; c++, varbinds++) {
      size_t i = at[c];
      if (i < nmib)
        memcpy(vbs + n, mib[i].vb, mib[i].vblen), n += mib[i].vblen, at[c]++, live = 1;
      else
        n += end_of(vbs + n, mib[nmib - 1].oid, mib[nmib - 1].oidlen, 0x82);
    }
    if (!live)
      break;
  }
  size_t inner = nrid + 6 + 4 + n;
  uint8_t *o = hdr(out, 0x30, nver + 4 + inner);
  memcpy(o, vercom, nver);
  o = hdr(o + nver, 0xa2, inner);
  memcpy(o, rid, nrid);
  o += nrid;
  memcpy(o, "\x02\x01\x00\x02\x01\x00", 6);
  o = hdr(o + 6, 0x30, n);
  memcpy(o, vbs, n);
  requests++;
  return (size_t)(o + n - out);
}
/* answers held back: one ring, one thread that sends what is due */
enum { RING = 1 << 14 };
struct held {
  struct timespec due;
  struct sockaddr_in to;
  int fd;
  size_t n;
  uint8_t pkt[ROOM + 600];
};
static struct held *ring;
static _Atomic unsigned long head, tail;
static int delay_ms;
static void *release(void *x)
{
  (void)x;
  for (;;) {
    if (tail == head) {
      usleep(100);
      continue;
    }
    struct held *h = &ring[tail % RING];
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &h->due, NULL);
    sendto(h->fd, h->pkt, h->n, 0, (void *)&h->to, sizeof(h->to));
    tail++;
  }
  return NULL;
}
static void hold(int fd, const struct sockaddr_in *to, const uint8_t *p, size_t n)
{
  if (head - tail >= RING)
    return;
  struct held *h = &ring[head % RING];
  clock_gettime(CLOCK_MONOTONIC, &h->due);
  h->due.tv_nsec += delay_ms * 1000000L;
  h->due.tv_sec += h->due.tv_nsec / 1000000000;
  h->due.tv_nsec %= 1000000000;
  h->to = *to, h->fd = fd, h->n = n;
  memcpy(h->pkt, p, n);
  head++;
}
static void *serve(void *x)
{
  int fd = (int)(intptr_t)x;
  enum { B = 64 };
  static __thread uint8_t in[B][2048], out[B][ROOM + 600];
  static __thread struct mmsghdr mi[B], mo[B];
  static __thread struct iovec vi[B], vo[B];
  static __thread struct sockaddr_in from[B];
  for (;;) {
    for (int i = 0; i < B; i++) {
      vi[i] = (struct iovec){in[i], sizeof(in[i])};
      mi[i].msg_hdr = (struct msghdr){
          .msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &vi[i], .msg_iovlen = 1};
    }
    int n = recvmmsg(fd, mi, B, MSG_WAITFORONE, NULL), m = 0;
    for (int i = 0; i < n; i++) {
      size_t k = answer(in[i], mi[i].msg_len, out[m]);
      if (!k)
        continue;
      if (ring) {
        hold(fd, &from[i], out[m], k);
        continue;
      }
      vo[m] = (struct iovec){out[m], k};
      mo[m].msg_hdr = (struct msghdr){
          .msg_name = &from[i], .msg_namelen = sizeof(from[i]), .msg_iov = &vo[m], .msg_iovlen = 1};
      m++;
    }
    for (int s = 0, r; s < m; s += r)
      if ((r = sendmmsg(fd, mo + s, (unsigned)(m - s), 0)) <= 0)
        break;
  }
  return NULL;
}
int main(int argc, char **argv)
{
  int port = argc > 1 ? atoi(argv[1]) : 16161, nif = argc > 2 ? atoi(argv[2]) : 16;
  int threads = argc > 3 ? atoi(argv[3]) : 1;
  char o[80], s[40];
  delay_ms = argc > 4 ? atoi(argv[4]) : 0;
  if (delay_ms) {
    pthread_t t;
    threads = 1;
    ring = calloc(RING, sizeof(*ring));
    pthread_create(&t, NULL, release, NULL);
  }
  add("1.3.6.1.2.1.1.1.0", 4, 0, "disk array");
  add("1.3.6.1.2.1.1.3.0", 0x43, 123456, NULL);
  add("1.3.6.1.2.1.1.5.0", 4, 0, "array");
  for (int i = 1; i <= nif; i++) {
    static const int cols[] = {1, 3, 4, 5, 7, 8, 9, 10, 11, 13, 14, 16, 17, 19, 20};
    static const int xcols[] = {2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 15};
    for (size_t c = 0; c < sizeof(cols) / sizeof(*cols); c++) {
      snprintf(o, sizeof(o), "1.3.6.1.2.1.2.2.1.%d.%d", cols[c], i);
      add(o, cols[c] < 10 ? 2 : 0x41, cols[c] == 1 ? (unsigned)i : 6, NULL);
    }
    snprintf(o, sizeof(o), "1.3.6.1.2.1.2.2.1.2.%d", i);
    snprintf(s, sizeof(s), "port%d", i);
    add(o, 4, 0, s);
    snprintf(o, sizeof(o), "1.3.6.1.2.1.31.1.1.1.1.%d", i);
    add(o, 4, 0, s);
    for (size_t c = 0; c < sizeof(xcols) / sizeof(*xcols); c++) {
      snprintf(o, sizeof(o), "1.3.6.1.2.1.31.1.1.1.%d.%d", xcols[c], i);
      add(o, xcols[c] >= 6 && xcols[c] <= 13 ? 0x46 : 0x41, 1234567890123ull, NULL);
    }
  }
  add("1.3.6.1.4.1.99999.1.1.0", 0x46, 96000000000000ull, NULL);
  add("1.3.6.1.4.1.99999.1.2.0", 0x46, 48000000000000ull, NULL);
  add("1.3.6.1.4.1.99999.1.3.0", 0x46, 987654321, NULL);
  qsort(mib, nmib, sizeof(*mib), by_oid);
  for (int i = 0; i < threads; i++) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1, big = 8 << 20;
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(fd, (void *)&a, sizeof(a))) {
      perror("bind");
      return 1;
    }
    pthread_t t;
    pthread_create(&t, NULL, serve, (void *)(intptr_t)fd);
  }
  for (;;) {
    struct rusage r;
    sleep(1);
    getrusage(RUSAGE_SELF, &r);
    printf("%ld %ld %.3f\n", requests, varbinds,
           (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
               (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6);
    fflush(stdout);
  }
}
