/* SPDX-License-Identifier: MIT */
#include "common/thresholds.h"

#define ROW(member) #member, offsetof(struct rule_thresholds, member)

const struct rule_threshold rule_threshold_rows[] = {
    {ROW(within_days), 180, 1, 3650,
     "a need counts when its limit is likely to be reached within this many days, or within the "
     "lead time and the sales cycle where these are longer"},
    {ROW(min_probability), 0.5, 0.01, 1, "how likely, as a chance from 0 to 1"},
    {ROW(planning_days), 365, 30, 3650, "what is ordered has to last this long"},
    {ROW(busy_share), 0.7, 0.1, 1,
     "share of its rated transfers that a device should carry at its busiest"},
    {ROW(load_floor_share), 0.5, 0, 1,
     "below this share of its rated transfers no load is looked at"},
    {ROW(duty_share), 1, 0.1, 10,
     "share of a printer's monthly duty above which it prints too much"},
    {ROW(duty_days), 30, 7, 366, "days over which a printer's pages are counted"},
    {ROW(supply_days), 7, 0, 365, "days that a supply should be there before the old one ends"},
    {ROW(supply_share), 0.1, 0, 1,
     "share of a supply at which it is ordered where its pages are not known"},
    {ROW(software_days), 90, 0, 3650, "days after its release by which software should be renewed"},
    {ROW(service_days), 30, 0, 365, "days before it is due that maintenance is proposed"},
    {ROW(end_of_service_days), 365, 0, 3650,
     "days before its maintenance ends that a device's successor is proposed"},
    {0}};

void rule_thresholds_init(struct rule_thresholds *t)
{
  for (const struct rule_threshold *r = rule_threshold_rows; r->name != NULL; r++)
    *(double *)(void *)((char *)t + r->offset) = r->initial;
}
