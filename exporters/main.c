/* SPDX-License-Identifier: MIT */
#include "common/conf.h"
#include "common/options.h"
#include "exporters/check_cmd.h"
#include "exporters/consent_cmd.h"
#include "exporters/sign_cmd.h"
#include "exporters/site_cmd.h"
#include "exporters/vendor_cmd.h"
#include "places.h"

static const struct tm_option options[] = {
    {'c', "config", "FILE", NULL, "read this configuration instead of " TM_CONF_PATH},
    {'t', "target", "NAME",
     "queue push preview status history opportunities inquire demand purge delete-request check "
     "key",
     "this target alone; key: its name at the site"},
    {'d', "device", "DEVICE", "enable disable delete-request",
     "this device alone: NAME or HOST/NAME"},
    {'b', "by", "NAME", "enable disable delete-request", "who decides it"},
    {'n', "now", NULL, "queue preview push",
     "queue and preview: pass over the schedule; push: over quiet hours and waiting"},
    {'o', "output", "DIR", "preview export-all",
     "preview: also write each event to DIR/KEY.json; export-all: the new folder"},
    {'T', "trigger", "mail|link|timer", "push", "why now"},
    {'1', "once", NULL, "push", "one pass; do not wait for retries that are due within a minute"},
    {'j', "json", NULL, "status history opportunities inquire requests", "as JSON"},
    {0, "ask", NULL, "requests", "ask the device now, and answer with what it says"},
    {0, "answer", "FILE", "requests inquire",
     "requests: answer with what tidemark-probe --items printed; inquire: take answers that came "
     "from elsewhere; - for standard input"},
    {0, "open", NULL, "opportunities", "print summaries without what was won, lost or dropped"},
    {0, "figure", "expected|low|middle|high", "demand",
     "which of its numbers; expected unless given"},
    {0, "list", NULL, "inquire", "what was asked and answered"},
    {0, "agree", "ID", "inquire", "reserve what the answer promises from stock"},
    {0, "until", "DATE", "inquire", "with --agree: the last day of the reservation"},
    {0, "release", "ID", "inquire", "give back what was reserved"},
    {0, "refuse", "WHY", "requests", "refuse, and say why"},
    {0, "secret-file", "FILE", "sign verify", "the secret of the signature, whsec_ and base64"},
    {0, "id", "ID", "sign verify", "the webhook-id, where the document does not say it"},
    {0, "at", "TIME", "sign verify", "the webhook-timestamp; sign: instead of now"},
    {0, "signature", "HEADER", "verify", "the webhook-signature, instead of a file of headers"},
    {0, "explain", NULL, "key", "also print the lines that are hashed"},
    {0, "dead", NULL, "purge", "also what was given up"},
    {0, "all", NULL, "purge", "whatever its age"},
    {0},
};

static const struct tm_command commands[] = {
    {"enrol", "FILE", "make a target of what the vendor gave, or renew its credentials", cmd_enrol},
    {"enable", "sales|factory|service|comparison", "agree that data leaves for this purpose",
     cmd_enable},
    {"disable", "sales|factory|service|comparison", "withdraw it; what is unsent is withdrawn too",
     cmd_disable},
    {"queue", "[FILE|-]...", "turn due summaries into items of the spool", cmd_queue},
    {"push", "", "send what is due", cmd_push},
    {"preview", "[FILE|-]...", "show the very bytes that would leave, and what would not",
     cmd_preview},
    {"status", "", "show consent, schedule and targets", cmd_status},
    {"history", "", "list what was sent and refused", cmd_history},
    {"receive", "", "take what sites have dropped", cmd_receive},
    {"demand", "[FILE|-]", "give a demand document to an ERP as its forecast", cmd_demand},
    {"inquire", "[FILE|-]...", "ask an ERP for stock and date; reserve, release", cmd_inquire},
    {"opportunities", "[FILE|-]...", "list what became of what was offered to an ERP",
     cmd_opportunities},
    {"show", "KEY", "print an item's bytes", cmd_show},
    {"requeue", "KEY", "put a given-up item back into the line", cmd_requeue},
    {"export-all", "", "copy all raw data of the site into a new folder", cmd_export_all},
    {"delete-request", "", "ask the targets to delete what was sent", cmd_delete_request},
    {"requests", "[ID]", "list what service asks for; answer or refuse it", cmd_requests},
    {"purge", "", "remove old copies of what was sent", cmd_purge},
    {"check", "[MAPPING]...", "check configuration, secrets and mapping files", cmd_check},
    {"sign", "FILE", "print the headers that a document is signed by", cmd_sign},
    {"verify", "FILE [HEADERS]", "check the signature of a document", cmd_verify},
    {"key", "FILE", "compute the key of a document", cmd_key},
    {0},
};

static const struct tm_program program = {
    .name = "tidemark-export",
    .summary = "Sends summaries of devices to those who may have them: by consent, through a spool "
               "that loses nothing.",
    .commands = commands,
    .options = options,
};

int main(int argc, char **argv)
{
  return tm_program_main(&program, argc, argv);
}
