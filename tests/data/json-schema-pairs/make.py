"""Makes pairs.jsonl: pairs of JSON Schemas, and what jsonsubschema says of them.

Run by hand, with jsonsubschema 0.0.8 (`pip install jsonsubschema==0.0.8 setuptools`); the result is committed, and
`compat::a_checker_of_another_author_agrees` compares it with what Meshwright says. The same seed makes the same pairs.
"""

import copy
import json
import pathlib
import random
import signal

from jsonsubschema import isSubschema

PAIRS = 400
random.seed(20)


def scalar():
    kind = random.choice(["integer", "number", "string", "boolean", "null"])
    schema = {"type": kind}
    if kind in ("integer", "number"):
        for keyword, bound in (("minimum", random.randint(0, 3)), ("maximum", random.randint(5, 9))):
            if random.random() < 0.4:
                schema[keyword] = bound
        if kind == "integer" and random.random() < 0.2:
            schema["multipleOf"] = random.choice([2, 3, 4, 6])
    if kind == "string":
        if random.random() < 0.3:
            schema["maxLength"] = random.randint(3, 6)
        if random.random() < 0.3:
            schema["enum"] = random.sample(["a", "b", "c", "d"], random.randint(1, 3))
            schema.pop("maxLength", None)
    return schema


def schema(depth=2):
    draw = random.random()
    if depth == 0 or draw < 0.35:
        return scalar()
    if draw < 0.75:
        names = random.sample(["a", "b", "c"], random.randint(1, 3))
        made = {"type": "object", "properties": {name: schema(depth - 1) for name in sorted(names)}}
        required = [name for name in sorted(names) if random.random() < 0.4]
        if required:
            made["required"] = required
        if random.random() < 0.3:
            made["additionalProperties"] = False
        return made
    if draw < 0.88:
        made = {"type": "array", "items": schema(depth - 1)}
        if random.random() < 0.3:
            made["minItems"] = random.randint(1, 2)
        if random.random() < 0.3:
            made["maxItems"] = random.randint(3, 5)
        return made
    return {"anyOf": [schema(depth - 1) for _ in range(2)]}


def places(made, found):
    if isinstance(made, dict):
        if "type" in made or "anyOf" in made:
            found.append(made)
        for value in made.values():
            places(value, found)
    elif isinstance(made, list):
        for value in made:
            places(value, found)
    return found


def changed(before):
    after = copy.deepcopy(before)
    for _ in range(random.choice([1, 1, 1, 2])):
        at = random.choice(places(after, []))
        kind, draw = at.get("type"), random.random()
        if draw < 0.15:
            other = schema(1)
            at.clear()
            at.update(other)
        elif kind == "object" and at.get("properties"):
            names = sorted(at["properties"])
            name = random.choice(names)
            if draw < 0.35:
                at["properties"]["d"] = scalar()
            elif draw < 0.5:
                del at["properties"][name]
                at["required"] = [one for one in at.get("required", []) if one != name]
            elif draw < 0.65:
                at["required"] = sorted(set(at.get("required", [])) | {name})
            elif draw < 0.8:
                at["required"] = at.get("required", [])[1:]
            elif "additionalProperties" in at:
                del at["additionalProperties"]
            else:
                at["additionalProperties"] = False
            if not at.get("required", True):
                del at["required"]
        elif kind in ("integer", "number"):
            if draw < 0.4:
                at["type"] = "number" if kind == "integer" else "integer"
                at.pop("multipleOf", None)
            elif draw < 0.7:
                at["maximum"] = random.randint(4, 12)
            else:
                at["minimum"] = random.randint(0, 4)
        elif kind == "string" and "enum" in at:
            at["enum"] = random.sample(["a", "b", "c", "d"], random.randint(1, 3))
        elif kind == "string":
            at["maxLength"] = random.randint(2, 8)
        elif kind == "array":
            at[random.choice(["minItems", "maxItems"])] = random.randint(2, 4)
        elif "anyOf" in at:
            shorter = draw < 0.5 and len(at["anyOf"]) > 1
            at["anyOf"] = at["anyOf"][1:] if shorter else at["anyOf"] + [scalar()]
    return after


def is_subset(one, other):
    signal.alarm(5)
    try:
        return bool(isSubschema(copy.deepcopy(one), copy.deepcopy(other)))
    finally:
        signal.alarm(0)


def stop(*_):
    raise TimeoutError


def main():
    signal.signal(signal.SIGALRM, stop)
    lines, left_out = [], 0
    while len(lines) < PAIRS:
        before = schema()
        after = changed(before)
        if before == after:
            continue
        try:
            row = {"before": before, "after": after}
            row["narrower"] = is_subset(after, before)
            row["wider"] = is_subset(before, after)
        except Exception:  # It does not know every schema, and stops in many ways.
            left_out += 1
            continue
        lines.append(json.dumps(row))
    pathlib.Path(__file__).with_name("pairs.jsonl").write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} pairs, {left_out} left out because it could not tell")


main()
