#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every document of the chain has a schema, every schema a sample, and real output fits both."""
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("SOURCE", os.getcwd())
sys.path.insert(0, os.path.join(SOURCE, "tests/lib"))
import summaries as made  # noqa: E402
from tap import done, ok, same, skip_all  # noqa: E402

try:
    import jsonschema
except ImportError:
    skip_all("needs python3-jsonschema")

ANALYZE = os.path.join(os.environ.get("BUILD", "build"), "tidemark-analyze")
FOLDER = os.path.join(SOURCE, "contrib/schema")
DOCUMENTS = ["summary", "history", "catalogue", "registration", "shops", "opportunity", "inquiry",
             "answer", "demand", "request", "item-values", "claim", "receipt"]
SCHEMAS = {}


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def faults(name, document):
    checker = jsonschema.Draft202012Validator(
        SCHEMAS[name], format_checker=jsonschema.FormatChecker())
    return ["%s: %s" % ("/".join(map(str, e.path)), e.message[:200])
            for e in checker.iter_errors(document)]


def sound(schema):
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        return True
    except jsonschema.SchemaError:
        return False


for path in sorted(glob.glob(FOLDER + "/*.schema.json")):
    name = os.path.basename(path)[:-len(".schema.json")]
    SCHEMAS[name] = load(path)
    ok(sound(SCHEMAS[name]), "%s: the schema is one of 2020-12" % name)
    same(SCHEMAS[name]["properties"]["schema"]["const"], "tidemark.%s/1" % name,
         "%s: names its documents after its file" % name)
    sample_path = FOLDER + "/samples/%s.json" % name
    if not ok(os.path.exists(sample_path), "%s: has a sample" % name):
        continue
    sample = load(sample_path)
    ok(not faults(name, sample), "%s: the sample fits" % name, *faults(name, sample))
    missed = []
    for key in SCHEMAS[name].get("required", []):
        without = {k: v for k, v in sample.items() if k != key}
        if not faults(name, without):
            missed.append(key)
    same(missed, [], "%s: what is required is missed" % name)
    ok(faults(name, dict(sample, surprise=1)), "%s: an unknown member is refused" % name)
missing = [d for d in DOCUMENTS if d not in SCHEMAS and d not in ("summary", "history")]
same(missing, [], "every document of the chain has a schema")


def run(*args, given=None):
    p = subprocess.run([ANALYZE, *args], input=given, capture_output=True, text=True, timeout=60,
                       check=False)
    return p.returncode, p.stdout


with tempfile.TemporaryDirectory() as T:
    config = T + "/tidemark.conf"
    with open(config, "w", encoding="utf-8") as f:
        f.write('customer { id = "V" }\nsite { name = "v"  timezone = "UTC" }\n')
    given = made.fleet(40) + [
        made.summary(customer="L", load=(20000, 33000), firmware="4.3.0"),
        made.summary(customer="F", used=110, growth=0.3, fill=(10, 20, 30), firmware="4.3.0",
                     load=(44000, 60000), cache=96 * 2**30),
        made.summary(customer="N", model="DS-100", used=119, growth=1, fill=(1, 2, 3)),
    ]
    made.write(T + "/given", given)
    catalogue = FOLDER + "/samples/catalogue.json"
    common = ("--config", config, "--catalogue", catalogue)
    status, out = run("recommend", *common, T + "/given")
    found = [json.loads(x) for x in out.splitlines()]
    same((status, len(found)), (0, 9), "real opportunities are made")
    wrong = [f for o in found for f in faults("opportunity", o)]
    ok(not wrong, "real opportunities fit their schema", *wrong)
    status, out = run("recommend", *common, "--format", "summaries", T + "/given")
    if "summary" in SCHEMAS:
        wrong = [f for s in out.splitlines() for f in faults("summary", json.loads(s))]
        ok(not wrong, "summaries with recommendations fit their schema", *wrong[:10])
    status, out = run("demand", "--config", config, "--customers", given=out)
    wrong = faults("demand", json.loads(out))
    ok(not wrong, "a real demand fits its schema", *wrong)

    # The program and the schema agree on what a catalogue is, one fault at a time.
    sample = load(catalogue)
    documents = []
    for key in sample:
        c = copy.deepcopy(sample)
        del c[key]
        documents.append(("without " + key, c, key in ("models",)))
    for section in [k for k in sample if isinstance(sample[k], list)]:
        for key in sample[section][0]:
            c = copy.deepcopy(sample)
            del c[section][0][key]
            documents.append(("%s without %s" % (section, key), c, key == "sku"))
            c = copy.deepcopy(sample)
            c[section][0][key] = {"odd": True}
            documents.append(("%s with an odd %s" % (section, key), c, False))
    differ = []
    with open(FOLDER + "/samples/summary.json", encoding="utf-8") as f:
        summary = json.dumps(json.load(f))
    for name, document, loose in documents:
        with open(T + "/c.json", "w", encoding="utf-8") as f:
            json.dump(document, f)
        status, out = run("recommend", "--config", config, "--catalogue", T + "/c.json", given=summary)
        fits = not faults("catalogue", document)
        # A schema cannot see that a SKU that is named exists: there the program is stricter.
        if (status == 0) != fits and not (loose and status == 78):
            differ.append("%s: program %d, schema %s" % (name, status, fits))
    ok(not differ, "program and schema agree on %d catalogues" % len(documents), *differ)
done()
