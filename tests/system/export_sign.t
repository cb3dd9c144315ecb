#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A document is signed, checked and named by the command, as the protocol's page says."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from exporting import *  # noqa: E402,F403
from tap import done, ok, same  # noqa: E402

site = Site()


def run(*args):
    return subprocess.run([EXPORT, *args], cwd=site.folder, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


# --- the vectors of the page ------------------------------------------------------------------------
with open(os.path.join(SOURCE, "contrib/doc/protocol.md")) as f:
    rows = dict(re.findall(r"^\| ([a-z, ]+) \| (`.*`) \|$", f.read(), re.M))
vector = {k: re.findall(r"`([^`]*)`", v) for k, v in rows.items()}
same(sorted(vector), ["body", "document", "id, timestamp", "key", "kind, target", "secret",
                      "signature"], "the page has its vectors")
site.write("vector.secret", vector["secret"][0] + "\n", 0o600)
site.write("body", vector["body"][0])
identity, at = vector["id, timestamp"]
p = run("sign", "--secret-file", "vector.secret", "--id", identity, "--at", "@" + at, "body")
same((p.returncode, p.stdout), (0, "webhook-id: %s\nwebhook-timestamp: %s\nwebhook-signature: %s\n" %
                                (identity, at, vector["signature"][0])),
     "the signature is that of the page")
p = run("verify", "--secret-file", "vector.secret", "--id", identity, "--at", "@" + at,
        "--signature", "v1,AAAA " + vector["signature"][0], "body")
ok(p.returncode == 0 and "signed on 2021-02-25T15:02:10Z" in p.stdout,
   "it is right, also as one of several", p.stdout, p.stderr)
site.write("document", vector["document"][0])
kind, target = vector["kind, target"]
p = run("key", "--target", target, "document")
same((p.returncode, p.stdout), (0, vector["key"][0] + "\n"), "the key is that of the page")
p = run("key", "--explain", "--target", target, "document")
lines = p.stdout.splitlines(keepends=True)
same(sha256("".join(lines[:-1]).encode()), vector["key"][0], "what is explained is what is hashed")
same((len(lines), lines[4]), (10, kind + "\n"), "... nine lines")

# --- what a drop folder holds -------------------------------------------------------------------------
os.mkdir(site.path("box"))
site.configure('target box { type = "file" directory = "%s" secret_file = "%s" purposes = {"sales"} }\n'
               % (site.path("box"), site.path("secret")))
site.enable("sales")
summary = sample()
summary["product"]["device"] = "大阪-01"
summary["status"]["transfers"]["mean_per_interval"] = 1 / 3
site.run("queue", "--now", "-", stdin=json.dumps(summary) + "\n")
site.run("push", "--once")
names = sorted(n[:-5] for n in os.listdir(site.path("box")) if n.endswith(".json"))
same(len(names), 2, "a summary and a history lie in the box")
for name in names:
    p = run("verify", "--secret-file", "secret", "box/%s.json" % name, "box/%s.sig" % name)
    ok(p.returncode == 0 and name in p.stdout, "the signature beside a document is right", p.stderr)
    p = run("key", "--target", "box", "box/%s.json" % name)
    same((p.returncode, p.stdout), (0, name + "\n"), "its key can be computed by who received it")
    p = run("key", "--target", "other", "box/%s.json" % name)
    ok(p.returncode == 65 and name in p.stderr, "... another target's is another", p.stderr)
body = open(site.path("box", names[0] + ".json")).read()
events = [json.loads(open(site.path("box", n + ".json")).read()) for n in names]
site.write("batch.json", json.dumps(events[::-1]))
p = run("sign", "--secret-file", "secret", "batch.json")
same(p.stdout.splitlines()[0], "webhook-id: " + sha256("".join(n + "\n" for n in names).encode()),
     "a batch is named by its sorted keys")

# --- what is wrong -------------------------------------------------------------------------------------
site.write("changed.json", body.replace("2026", "2027", 1))
p = run("verify", "--secret-file", "secret", "changed.json", "box/%s.sig" % names[0])
ok(p.returncode == 65 and "not that of these bytes" in p.stderr, "a changed byte is seen", p.stderr)
p = run("verify", "--secret-file", "vector.secret", "box/%s.json" % names[0], "box/%s.sig" % names[0])
same(p.returncode, 65, "another secret is seen")
p = run("verify", "--secret-file", "secret", "box/%s.json" % names[0], "box/%s.sig" % names[1])
ok(p.returncode == 65 and names[1] in p.stderr, "the headers of another document are seen", p.stderr)
site.write("twice.sig", open(site.path("box", names[0] + ".sig")).read() * 2)
p = run("verify", "--secret-file", "secret", "box/%s.json" % names[0], "twice.sig")
ok(p.returncode == 65 and "once each" in p.stderr, "headers that stand twice are refused", p.stderr)
for args, status, word in (
        (["sign", "body"], 64, "--secret-file"),
        (["sign", "--secret-file", "secret", "body"], 65, "--id"),
        (["sign", "--secret-file", "secret", "--id", "a.b", "body"], 64, "without a dot"),
        (["sign", "--secret-file", "secret", "--id", "x", "none"], 66, "none"),
        (["sign", "--secret-file", "body", "--id", "x", "body"], 77, "body"),
        (["verify", "--secret-file", "secret", "body"], 64, "FILE"),
        (["verify", "--secret-file", "secret", "--signature", "v1,x", "--id", "x", "body"], 64, "--at"),
        (["key", "document"], 64, "--target"),
        (["key", "--target", "x", "body"], 65, "neither")):
    p = run(*args)
    ok(p.returncode == status and word in p.stderr, " ".join(args[:1] + args[3:]) + ": status %d" % status,
       p.returncode, p.stderr)
ok(all(SECRET not in run(*a).stderr for a in (["sign", "--secret-file", "secret", "body"],)),
   "no secret is told")
done()
