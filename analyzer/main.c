/* SPDX-License-Identifier: MIT */
/* tidemark-analyze: the table of its commands and options. */
#include "analyzer/commands.h"
#include "common/options.h"

static const struct tm_option options[] = {
    {'c', "config", "FILE", NULL, "read this instead of /etc/tidemark/tidemark.conf"},
    {'d', "data", "PATH", "run graph check score",
     "directory of RRDs as collectd lays them out, or one RRD file"},
    {'s', "source", "SOURCE", "run graph check score",
     "where history comes from: rrd:DIR, csv:FILE or prometheus:URL"},
    {'a', "as-of", "TIME", "run graph recommend demand",
     "say what would have been said then: rows after TIME are not looked at"},
    {0, "record", NULL, "run",
     "append the forecasts to the ledger and write the summaries below paths.state"},
    {0, "forecast-rrd", "DIR", "run",
     "also write the forecasts as RRD files, DIR/HOST/FOLDER/forecast.rrd"},
    {0, "no-forecast", NULL, "run", "capacity and interval maxima only, of the last 30 days"},
    {0, "all", NULL, "run", "also image, overlay and memory file systems"},
    {0, "history", "DURATION", "run",
     "days of history in each summary (35d; with a catalogue 366d; without forecast 30d; at most "
     "731d)"},
    {0, "history", "DURATION", "graph", "days of history that are drawn (731d, which is the most)"},
    {'j', "jobs", "N", "run forecast", "worker processes (as many as processors)"},
    {0, "shard", "I/N", "run", "only the devices of this share, I from 0 to N-1"},
    {'f', "format", "table|json|nagios|openmetrics|html", "run", "table unless given"},
    {'f', "format", "json|table|summaries", "recommend", "json unless given"},
    {'f', "format", "json|csv", "demand", "json unless given"},
    {'f', "format", "table|json", "score", "table unless given"},
    {0, "warning", "DURATION", "run", "nagios: full within this long is a warning (90d)"},
    {0, "critical", "DURATION", "run", "nagios: and this is critical (30d)"},
    {0, "keep", "DURATION", "score", "forget forecasts older than this (1096d)"},
    {'o', "output", "PATH", NULL, "write there, atomically, instead of standard output"},
    {'q', "quiet", NULL, "run", "no progress bar"},
    {0, "width", "PIXELS", "graph", "width of the picture (1000)"},
    {0, "steps", "H", "forecast", "values this many steps ahead"},
    {0, "quantiles", "Q,...", "forecast", "quantiles of the values, ascending (0.1,0.5,0.9)"},
    {0, "catalogue", "FILE", "run recommend check", "what the vendor sells"},
    {0, "collectd-conf", "FILE", "check", "collectd's configuration (/etc/collectd/collectd.conf)"},
    {0, "interval", "DURATION", "check", "the unit interval that is to be exact (300s)"},
    {0, "weeks", "N", "demand", "weeks ahead (26)"},
    {0, "shops", "FILE", "demand", "JSON file that tells each customer's shop"},
    {0, "customers", NULL, "demand", "also name the customers behind each number"},
    {0}};

static const struct tm_command commands[] = {
    {"run", "", "read histories and report every device: how full, when full, how busy", cmd_run},
    {"forecast", "FILE.csv", "forecast any series: values ahead and when a limit is reached",
     cmd_forecast},
    {"graph", "DEVICE", "draw history, capacity, forecast and daily maxima as SVG or PNG",
     cmd_graph},
    {"recommend", "[FILE|-]...", "say what to offer from summaries and a catalogue", cmd_recommend},
    {"demand", "[FILE|-]...", "sum what is probably needed by SKU, shop and week", cmd_demand},
    {"check", "", "say what is wrong in configuration, papers and RRD settings", cmd_check},
    {"score", "", "hold the forecasts of the ledger against what happened since", cmd_score},
    {0}};

static const struct tm_program program = {
    .name = "tidemark-analyze",
    .summary = "Says when disk arrays, libraries, printers, computers and links run out, how busy "
               "they were at their busiest, and what to buy when.",
    .commands = commands,
    .options = options,
};

int main(int argc, char **argv)
{
  return tm_program_main(&program, argc, argv);
}
