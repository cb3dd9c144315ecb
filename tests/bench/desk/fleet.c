/* SPDX-License-Identifier: MIT */
/*
 * fleet [--sites N] [--at HH:MM] [--every DAYS] [--jitter SECONDS] [--outage HOURS]: when the sites
 * of a fleet push. A week of each is played: it is due when schedule.h says so, by the schedule of
 * every so many days that began on a day of its own, and later by its own part of the jitter. What
 * is due leaves with the next run of contrib/systemd/tidemark-export.timer, which comes hourly and
 * up to half an hour late, at random each time. All sites are in one zone, the worst case; the
 * vendor cannot be reached during the first HOURS after the set time of the middle day.
 *
 * Prints the mean of a week, and the busiest second, minute and hour, in posts a second.
 */
#include "exporters/schedule.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR = 3600, LATE = 1800, WEEK = 7 * TM_DAY, DAYS = 9, SPAN = DAYS * TM_DAY };

static uint32_t seed = 1;

static uint32_t chance(uint32_t n)
{
  seed = seed * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)seed * n) >> 32);
}

/* The run of the timer in this hour, and the first one in it or later that is not before t. */
static int64_t run_in(int64_t hour)
{
  return hour + chance(LATE);
}

static int64_t run_from(int64_t hour, int64_t t)
{
  int64_t run;
  while ((run = run_in(hour)) < t)
    hour += HOUR;
  return run;
}

/* When what is due at `set` reaches the vendor: queued by one run, sent by it or a later one. */
static int64_t arrival(int64_t set, int64_t jitter, int64_t down, int64_t outage)
{
  int64_t queued = run_from(set - set % HOUR, set);
  int64_t sent = jitter == 0 ? queued : run_from(queued - queued % HOUR + HOUR, queued + jitter);
  if (sent >= down && sent < down + outage)
    sent = run_from(sent - sent % HOUR + HOUR, down + outage);
  return sent;
}

/* Posts a second at the busiest, in windows of so many seconds of the played week. */
static double busiest(const uint32_t *posts, int64_t window)
{
  uint64_t most = 0, sum = 0;
  for (int64_t s = 0; s < SPAN; s++) {
    sum += posts[s];
    if (s >= window)
      sum -= posts[s - window];
    if (sum > most)
      most = sum;
  }
  return (double)most / (double)window;
}

int main(int argc, char **argv)
{
  static uint32_t posts[SPAN];
  static const struct option options[] = {{"sites", 1, NULL, 'n'},  {"at", 1, NULL, 'a'},
                                          {"every", 1, NULL, 'e'},  {"jitter", 1, NULL, 'j'},
                                          {"outage", 1, NULL, 'o'}, {0}};
  struct tm_conf_schedule s = {.rule = TM_EVERY_DAYS, .days = 7};
  int64_t sites = 1000000, outage = 0, n = 0;
  int hour = 0, minute = 0, c;
  while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (c == 'n')
      sites = atoll(optarg);
    else if (c == 'a' && sscanf(optarg, "%d:%d", &hour, &minute) == 2)
      s.at_minute = hour * 60 + minute;
    else if (c == 'e')
      s.days = atoi(optarg);
    else if (c == 'j')
      s.jitter_s = atoll(optarg);
    else if (c == 'o')
      outage = atoll(optarg) * HOUR;
    else
      return 64;
  }
  setenv("TZ", "UTC", 1);
  int64_t first = 20454 * TM_DAY; /* 2026-01-01; a week from the next day on is counted */
  int64_t down = first + 4 * TM_DAY + s.at_minute * 60;
  for (int64_t i = 0; i < sites; i++) {
    char customer[32], site[32];
    snprintf(customer, sizeof(customer), "C-%lld", (long long)(i / 4));
    snprintf(site, sizeof(site), "site-%lld", (long long)(i % 4));
    int64_t anchor = first / TM_DAY - 28 + chance((uint32_t)s.days);
    int64_t jitter = schedule_jitter(&s, customer, site);
    for (int64_t day = 1; day <= 7; day++) {
      int64_t set = schedule_latest(&s, anchor, first + day * TM_DAY + TM_DAY - 1);
      if (set < first + day * TM_DAY)
        continue; /* of an earlier day */
      int64_t at = arrival(set, jitter, down, outage);
      if (at - first < SPAN) {
        posts[at - first]++;
        n++;
      }
    }
  }
  printf("%lld sites, every %d days at %02d:%02d, jitter %lld s%s: %lld posts in a week\n",
         (long long)sites, s.days, s.at_minute / 60, s.at_minute % 60, (long long)s.jitter_s,
         outage > 0 ? ", with an outage" : "", (long long)n);
  printf("posts/s: mean %.2f, busiest hour %.1f, busiest minute %.1f, busiest second %.0f\n",
         (double)n / WEEK, busiest(posts, HOUR), busiest(posts, 60), busiest(posts, 1));
  return 0;
}
