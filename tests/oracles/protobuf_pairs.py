"""Pairs of `.proto` files, and what `buf breaking` says of them by its category WIRE.

Prints one JSON object a line: the recorded text (`before`), the desired one (`after`), and the rules of
buf that it breaks (`breaks`). All pairs are one module, each in a file and a package of its own, so buf
runs once.

The program is `$MESHWRIGHT_ORACLE_BUF`, or `buf` on the path. Exits with 77 where it is not there.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

random.seed(20240601)
BUF = os.environ.get("MESHWRIGHT_ORACLE_BUF") or shutil.which("buf")
SCALARS = ["int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "sfixed32", "fixed64",
           "sfixed64", "bool", "string", "bytes", "double", "float", "Kind", "Part"]
CONFIGURATION = "version: v2\nbreaking:\n  use:\n    - WIRE\n"


def made():
    fields = {}
    for number in random.sample(range(1, 9), random.randint(2, 5)):
        label = random.choice(["", "", "", "repeated ", "optional "])
        fields[number] = [label, random.choice(SCALARS), f"f{number}"]
    values = {0: "KIND_NONE", 1: "KIND_A", 2: "KIND_B"}
    return {"fields": fields, "values": values, "reserved": [], "reserved_values": [], "oneof": []}


def changed(model):
    new = json.loads(json.dumps(model), object_hook=lambda one: {
        int(key) if key.isdigit() else key: value for key, value in one.items()})
    number = random.choice(list(new["fields"]))
    what = random.choice(["type", "type", "type", "label", "remove", "reserve", "add", "rename", "renumber",
                          "value-add", "value-remove", "value-reserve", "value-rename", "oneof"])
    if what == "type":
        new["fields"][number][1] = random.choice(SCALARS)
    elif what == "label":
        new["fields"][number][0] = random.choice(["", "repeated ", "optional "])
    elif what in ("remove", "reserve"):
        del new["fields"][number]
        if what == "reserve":
            new["reserved"].append(number)
    elif what == "add":
        new["fields"][10] = ["", random.choice(SCALARS), "f10"]
    elif what == "rename":
        new["fields"][number][2] = "renamed"
    elif what == "renumber":
        new["fields"][11] = new["fields"].pop(number)
    elif what == "value-add":
        new["values"][3] = "KIND_C"
    elif what in ("value-remove", "value-reserve"):
        del new["values"][2]
        if what == "value-reserve":
            new["reserved_values"].append(2)
    elif what == "value-rename":
        new["values"][2] = "KIND_OTHER"
    elif what == "oneof":
        plain = [one for one, field in new["fields"].items() if field[0] == ""]
        new["oneof"] = plain[:2]
    return new


def text(model, package):
    lines = ['syntax = "proto3";', f"package {package};", "enum Kind {"]
    lines += [f"  reserved {number};" for number in model["reserved_values"]]
    lines += [f"  {name} = {number};" for number, name in sorted(model["values"].items())]
    lines += ["}", "message Part {", "  string name = 1;", "}", "message Whole {"]
    lines += [f"  reserved {number};" for number in model["reserved"]]
    line = lambda number: "  {0}{1} {2} = {3};".format(*model["fields"][number], number)
    lines += [line(number) for number in sorted(model["fields"]) if number not in model["oneof"]]
    inside = [number for number in model["oneof"] if number in model["fields"] and model["fields"][number][0] == ""]
    if inside:
        lines += ["  oneof choice {"] + ["  " + line(number) for number in inside] + ["  }"]
    lines += ["}"]
    return "\n".join(lines) + "\n"


def main():
    if not BUF:
        print("buf is not there", file=sys.stderr)
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        pairs = []
        for which in ("before", "after"):
            (root / which).mkdir()
            (root / which / "buf.yaml").write_text(CONFIGURATION)
        while len(pairs) < 300:
            old = made()
            new = changed(old)
            package = f"p{len(pairs)}"
            before, after = text(old, package), text(new, package)
            if before == after or not new["fields"]:
                continue
            pairs.append((before, after))
            for which, body in (("before", before), ("after", after)):
                (root / which / package).mkdir()
                (root / which / package / "a.proto").write_text(body)
        run = subprocess.run(
            [BUF, "breaking", "--against", str(root / "before"), "--error-format", "json"],
            cwd=root / "after", capture_output=True, text=True, timeout=300,
        )
        if run.returncode not in (0, 100):
            sys.exit(f"buf failed: {run.stderr}")
        breaks = {}
        for line in run.stdout.splitlines():
            one = json.loads(line)
            breaks.setdefault(one["path"].split("/")[0], []).append(one["type"])
        for index, (before, after) in enumerate(pairs):
            print(json.dumps({"before": before, "after": after, "breaks": sorted(set(breaks.get(f"p{index}", [])))}))


main()
