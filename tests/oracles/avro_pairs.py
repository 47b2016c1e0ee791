"""Pairs of Avro schemas, and what two other implementations say of them.

Prints one JSON object a line: the recorded schema (`before`), the desired one (`after`), and whether
data written with the desired one can be read with the recorded one, by the checker of Apache's `avro`
(`checker`) and by fastavro, which really writes and reads made-up data (`read`).

Exits with 77 where one of the two packages is not there.
"""

import copy
import io
import json
import random
import sys

try:
    import avro.schema
    import fastavro
    from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
    from fastavro.utils import generate_one
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(77)

PRIMITIVES = ["boolean", "int", "long", "float", "double", "bytes", "string"]
random.seed(20240601)


class Maker:
    """Makes schemas whose named types have names of their own."""

    def __init__(self):
        self.count = 0

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def schema(self, depth):
        choice = random.random()
        if depth == 0 or choice < 0.45:
            return random.choice(PRIMITIVES)
        if choice < 0.55:
            return {"type": "array", "items": self.schema(depth - 1)}
        if choice < 0.62:
            return {"type": "map", "values": self.schema(depth - 1)}
        if choice < 0.72:
            one = {"type": "enum", "name": self.name("E"), "symbols": ["A", "B", "C"]}
            return {**one, "default": "A"} if random.random() < 0.4 else one
        if choice < 0.78:
            return {"type": "fixed", "name": self.name("F"), "size": random.choice([4, 8])}
        if choice < 0.9:
            return ["null"] + random.sample(PRIMITIVES, random.choice([1, 2]))
        return self.record(depth - 1)

    def record(self, depth):
        fields = []
        for index in range(random.randint(1, 4)):
            fields.append(self.field(f"f{index}", depth))
        return {"type": "record", "name": self.name("R"), "fields": fields}

    def field(self, name, depth):
        one = {"name": name, "type": self.schema(depth)}
        if isinstance(one["type"], list):
            one["default"] = None
        elif one["type"] == "int" and random.random() < 0.5:
            one["default"] = 0
        return one


def parts(schema):
    """Every schema inside a schema that can be changed in its place: holder and key."""
    found = []

    def go(holder, key):
        found.append((holder, key))
        one = holder[key]
        if isinstance(one, list):
            return
        if isinstance(one, dict):
            for inner in ("items", "values"):
                if inner in one:
                    go(one, inner)
            for field in one.get("fields", []):
                go(field, "type")

    go({"": schema}, "")
    return found


def changed(schema, maker):
    whole = {"": copy.deepcopy(schema)}
    found = [(holder, key) for holder, key in parts(whole[""])]
    found[0] = (whole, "")
    holder, key = random.choice(found)
    one = holder[key]
    if isinstance(one, str):
        holder[key] = random.choice(PRIMITIVES + [["null", one]])
    elif isinstance(one, list):
        spare = [name for name in PRIMITIVES if name not in one]
        if random.random() < 0.5 and len(one) > 2:
            one.pop()
        elif random.random() < 0.2:
            holder[key] = one[1]
        else:
            one.append(random.choice(spare))
    elif one["type"] == "enum":
        if random.random() < 0.5:
            one["symbols"] = one["symbols"] + ["D"]
        else:
            one["symbols"] = one["symbols"][:-1]
    elif one["type"] == "fixed":
        if random.random() < 0.5:
            one["size"] = 16
        else:
            one["name"] = one["name"] + "x"
    elif one["type"] == "record":
        what = random.random()
        if what < 0.35:
            one["fields"].append(maker.field("g", 1))
        elif what < 0.7 and len(one["fields"]) > 1:
            one["fields"].pop(random.randrange(len(one["fields"])))
        elif what < 0.8:
            random.shuffle(one["fields"])
        elif what < 0.9:
            field = random.choice(one["fields"])
            field["aliases"], field["name"] = [field["name"]], "renamed"
        else:
            one["name"] = one["name"] + "x"
    else:
        holder[key] = one.get("items", one.get("values"))
    for holder, key in parts(whole[""]):
        if key == "type" and "default" in holder and (holder[key], holder["default"]) != ("int", 0):
            holder.pop("default")
        if key == "type" and isinstance(holder[key], list):
            holder["default"] = None
    return whole[""]


def checker(before, after):
    result = ReaderWriterCompatibilityChecker().get_compatibility(
        avro.schema.parse(json.dumps(before)), avro.schema.parse(json.dumps(after))
    )
    return result.compatibility == SchemaCompatibilityType.compatible


def read(before, after):
    reader, writer = (fastavro.parse_schema(copy.deepcopy(one)) for one in (before, after))
    for _ in range(40):
        data = io.BytesIO()
        fastavro.schemaless_writer(data, writer, generate_one(writer))
        data.seek(0)
        try:
            fastavro.schemaless_reader(data, writer, reader)
        except Exception:
            return False
    return True


def main():
    made = 0
    while made < 400:
        maker = Maker()
        before = maker.record(2)
        after = before
        for _ in range(random.choice([1, 1, 2])):
            after = changed(after, maker)
        if before == after:
            continue
        made += 1
        print(json.dumps({
            "before": before,
            "after": after,
            "checker": checker(before, after),
            "read": read(before, after),
        }))


main()
