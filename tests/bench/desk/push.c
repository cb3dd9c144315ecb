/* SPDX-License-Identifier: MIT */
/*
 * push TEMPLATE PORTS SECONDS BATCH REPEATS DEVICES ACKED <ENROLMENTS: sites that push to desks for
 * a while. A line of standard input is a site: customer, site, token and secret, separated by tabs.
 * Each is a thread, which posts so many events, waits for the answer and posts the next; a share of
 * the posts (REPEATS, 0 to 1) it makes twice. Where no answer comes it goes on posting the same,
 * until one comes.
 *
 * The ids that were acknowledged go into the file ACKED, a line each; what was seen is printed as a
 * JSON object: events, posts, took, p50, p99, longest (seconds, of posts that were answered at
 * once), repeated, failures (posts without an answer), wrong (answers that are none), bytes of an
 * event, cpu_s of this program.
 */
#include "common/json.h"
#include "tests/bench/desk/made.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORTS = 8, ANSWER_MAX = 4 << 20, ANSWER_S = 60 };

static struct {
  struct made made;
  int ports[PORTS], ports_len;
  unsigned batch, devices;
  double repeats, until;
  int64_t today;
} o;

struct site {
  pthread_t thread;
  char customer[64], name[64], token[128];
  struct tm_secret secret;
  unsigned number, seed;
  int fd;
  uint64_t sent;
  size_t repeated, failures, wrong;
  size_t acked_len, times_len, bytes;
  char (*acked)[TM_SHA256_HEX];
  double *times;
  char (*keys)[TM_SHA256_HEX]; /* of the post under way */
  struct tm_buf body, answer;
};

static double now_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void nap(struct site *s)
{
  struct timespec t = {.tv_nsec = 50000000 + rand_r(&s->seed) % 100000000};
  nanosleep(&t, NULL);
}

/* Doubles what is full. */
static void *more(void *list, size_t len, size_t size)
{
  if (len > 0 && (len & (len - 1)) != 0)
    return list;
  list = realloc(list, (len > 0 ? 2 * len : 1) * size);
  if (list == NULL)
    exit(1);
  return list;
}

/* --- HTTP ------------------------------------------------------------------------------------ */

static bool connect_site(struct site *s)
{
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval wait = {.tv_sec = ANSWER_S};
  int on = 1;
  a.sin_port = htons((uint16_t)o.ports[rand_r(&s->seed) % o.ports_len]);
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  return s->fd >= 0 && connect(s->fd, (struct sockaddr *)&a, sizeof(a)) == 0;
}

static bool send_all(int fd, const char *data, size_t len)
{
  while (len > 0) {
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
    if (n <= 0)
      return false;
    data += n;
    len -= (size_t)n;
  }
  return true;
}

/* The status, with the body at *at of s->answer; 0 when there was no whole answer. */
static int read_answer(struct site *s, size_t *at)
{
  size_t want = 0;
  s->answer.len = 0;
  for (;;) {
    if (tm_buf_reserve(&s->answer, 65536) < 0)
      return 0;
    ssize_t n = recv(s->fd, s->answer.ptr + s->answer.len, 65536, 0);
    if (n <= 0)
      return 0;
    s->answer.len += (size_t)n;
    s->answer.ptr[s->answer.len] = '\0';
    if (want == 0) {
      const char *end = strstr(s->answer.ptr, "\r\n\r\n");
      const char *length = end != NULL ? strcasestr(s->answer.ptr, "\r\ncontent-length:") : NULL;
      if (end == NULL)
        continue;
      if (length == NULL || length > end)
        return 0;
      *at = (size_t)(end + 4 - s->answer.ptr);
      want = *at + strtoul(length + 17, NULL, 10);
    }
    if (s->answer.len >= want)
      return strncmp(s->answer.ptr, "HTTP/1.1 ", 9) == 0 ? atoi(s->answer.ptr + 9) : 0;
  }
}

static int exchange(struct site *s, size_t *at)
{
  char head[1024], signature[TM_SIGNATURE_SIZE];
  int64_t now = tm_now();
  tm_sign(signature, &s->secret, "m", now, s->body.ptr, s->body.len);
  int n =
      snprintf(head, sizeof(head),
               "POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
               "Content-Type: application/cloudevents%s+json\r\nwebhook-id: m\r\n"
               "webhook-timestamp: %lld\r\nwebhook-signature: %s\r\nContent-Length: %zu\r\n\r\n",
               s->token, o.batch > 1 ? "-batch" : "", (long long)now, signature, s->body.len);
  if (s->fd < 0 && !connect_site(s))
    return 0;
  if (!send_all(s->fd, head, (size_t)n) || !send_all(s->fd, s->body.ptr, s->body.len))
    return 0;
  return read_answer(s, at);
}

/* --- a site ---------------------------------------------------------------------------------- */

static void make_post(struct site *s)
{
  s->body.len = 0;
  for (unsigned i = 0; i < o.batch; i++) {
    const struct made_event e = {.customer = s->customer,
                                 .site = s->name,
                                 .number = s->number,
                                 .n = s->sent++,
                                 .devices = o.devices,
                                 .today = o.today};
    if (o.batch > 1)
      tm_buf_add(&s->body, i == 0 ? "[" : ",", 1);
    made_add(&o.made, &s->body, &e, s->keys[i]);
  }
  if (o.batch > 1)
    tm_buf_add(&s->body, "]", 1);
  s->bytes = s->body.len / o.batch;
}

/* known: it was acknowledged before. again: it may have been kept before. */
static void read_receipt(struct site *s, size_t at, bool known, bool again)
{
  json_t *answer = json_loadb(s->answer.ptr + at, s->answer.len - at, 0, NULL);
  const json_t *results = json_object_get(answer, "results");
  s->wrong += json_array_size(results) != o.batch;
  for (size_t i = 0; i < json_array_size(results) && i < o.batch; i++) {
    const json_t *r = json_array_get(results, i);
    const char *id = tm_json_get_string(r, "id"), *status = tm_json_get_string(r, "status");
    bool right =
        id != NULL && status != NULL && strcmp(id, s->keys[i]) == 0 &&
        (strcmp(status, "accepted") == 0 ? !known
                                         : strcmp(status, "duplicate") == 0 && (known || again));
    s->wrong += !right;
    if (right && !known) {
      s->acked = more(s->acked, s->acked_len, sizeof(*s->acked));
      memcpy(s->acked[s->acked_len++], s->keys[i], TM_SHA256_HEX);
    }
  }
  json_decref(answer);
}

static void post(struct site *s, bool known)
{
  bool again = false;
  size_t at = 0;
  for (;;) {
    double begun = now_s();
    int status = exchange(s, &at);
    if (status == 200) {
      if (!again) {
        s->times = more(s->times, s->times_len, sizeof(*s->times));
        s->times[s->times_len++] = now_s() - begun;
      }
      read_receipt(s, at, known, again);
      return;
    }
    s->failures++;
    if (status != 0 && status != 429 && status < 500) {
      s->wrong++;
      return;
    }
    again = true;
    if (s->fd >= 0)
      close(s->fd);
    s->fd = -1;
    nap(s);
  }
}

static void *run_site(void *arg)
{
  struct site *s = arg;
  s->keys = calloc(o.batch, sizeof(*s->keys));
  s->body = s->answer = (struct tm_buf)TM_BUF_INIT(64 << 20);
  while (s->keys != NULL && now_s() < o.until) {
    make_post(s);
    post(s, false);
    if (rand_r(&s->seed) < o.repeats * RAND_MAX) {
      s->repeated += o.batch;
      post(s, true);
    }
  }
  if (s->fd >= 0)
    close(s->fd);
  return NULL;
}

/* --- all of them ----------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

static struct site *read_sites(size_t *n)
{
  struct site *sites = NULL;
  char line[1024], secret[256];
  struct tm_error err = {0};
  while (fgets(line, sizeof(line), stdin) != NULL) {
    struct site s = {.number = (unsigned)*n, .seed = (unsigned)*n + 1, .fd = -1};
    if (sscanf(line, "%63s\t%63s\t%127s\t%255s", s.customer, s.name, s.token, secret) != 4 ||
        tm_secret_parse(&s.secret, secret, &err) < 0) {
      fprintf(stderr, "push: line %zu is no site\n", *n + 1);
      exit(64);
    }
    sites = more(sites, *n, sizeof(*sites));
    sites[(*n)++] = s;
  }
  return sites;
}

static void tell(const struct site *sites, size_t n, double took, FILE *acked)
{
  double *times = NULL;
  size_t len = 0, events = 0, repeated = 0, failures = 0, wrong = 0;
  struct rusage used;
  for (size_t i = 0; i < n; i++) {
    const struct site *s = &sites[i];
    for (size_t k = 0; k < s->acked_len; k++)
      fprintf(acked, "%s\n", s->acked[k]);
    for (size_t k = 0; k < s->times_len; k++) {
      times = more(times, len, sizeof(*times));
      times[len++] = s->times[k];
    }
    events += s->acked_len;
    repeated += s->repeated;
    failures += s->failures;
    wrong += s->wrong;
  }
  if (len > 0)
    qsort(times, len, sizeof(*times), compare);
  getrusage(RUSAGE_SELF, &used);
  printf("{\"events\":%zu,\"posts\":%zu,\"took\":%.3f,\"p50\":%.4f,\"p99\":%.4f,\"longest\":%.4f,"
         "\"repeated\":%zu,\"failures\":%zu,\"wrong\":%zu,\"bytes\":%zu,\"cpu_s\":%.3f}\n",
         events, len, took, len > 0 ? times[len / 2] : 0, len > 0 ? times[len * 99 / 100] : 0,
         len > 0 ? times[len - 1] : 0, repeated, failures, wrong, sites[0].bytes,
         (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
             1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
  free(times);
}

static void release(struct site *sites, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    free(sites[i].acked);
    free(sites[i].times);
    free(sites[i].keys);
    tm_buf_release(&sites[i].body);
    tm_buf_release(&sites[i].answer);
  }
  free(sites);
}

int main(int argc, char **argv)
{
  size_t n = 0;
  FILE *acked = argc == 8 ? fopen(argv[7], "we") : NULL;
  if (acked == NULL) {
    fprintf(stderr, "push TEMPLATE PORTS SECONDS BATCH REPEATS DEVICES ACKED <ENROLMENTS\n");
    return 64;
  }
  made_load(&o.made, argv[1]);
  for (char *save = NULL, *p = strtok_r(argv[2], ",", &save); p != NULL && o.ports_len < PORTS;
       p = strtok_r(NULL, ",", &save))
    o.ports[o.ports_len++] = atoi(p);
  o.batch = (unsigned)atoi(argv[4]);
  o.repeats = atof(argv[5]);
  o.devices = (unsigned)atoi(argv[6]);
  o.today = tm_now() / TM_DAY;
  struct site *sites = read_sites(&n);
  if (n == 0 || o.ports_len == 0 || o.batch == 0 || o.devices == 0)
    return 64;
  double begun = now_s();
  o.until = begun + atof(argv[3]);
  for (size_t i = 0; i < n; i++) {
    if (pthread_create(&sites[i].thread, NULL, run_site, &sites[i]) != 0)
      return 1;
  }
  for (size_t i = 0; i < n; i++)
    pthread_join(sites[i].thread, NULL);
  tell(sites, n, now_s() - begun, acked);
  release(sites, n);
  return fclose(acked) == 0 ? 0 : 1;
}
