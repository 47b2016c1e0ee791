#!/usr/bin/env python3
"""Writes what fuzzing begins with, from the project's own cases and examples: `seeds.py FOLDER` makes
`FOLDER/loader`, `FOLDER/resolver`, `FOLDER/canonical` and `FOLDER/differ`."""

import hashlib
import os
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CASES = TOP / "tests/cases"
LARGEST = 16 * 1024


def main(out):
    def keep(target, content):
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        if len(content) <= LARGEST:
            (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)

    trees = sorted(folder for folder in (CASES / "descriptor").iterdir() if folder.is_dir()) + [TOP / "examples-repo"]
    for tree in trees:
        files = sorted(file for file in tree.rglob("*") if file.is_file())
        for file in files:
            if file.suffix in (".yaml", ".yml", ".json", ".avsc"):
                keep("loader", file.read_bytes())
                keep("canonical", file.read_bytes())
        for root in files:
            if root.name.startswith("data-product-descriptor.") or root.name.startswith("d."):
                keep("resolver", as_one_text(root, files))
    for language in sorted((CASES / "compat").iterdir()):
        for case in sorted(language.iterdir()):
            keep("differ", editions(language.name, case))
    for case in sorted((CASES / "diff").iterdir()):
        keep("differ", editions("product", case))


def as_one_text(root, files):
    """The root, then each file that is named so far, below a line with its path as seen from the root's place."""
    text, left, found = root.read_bytes(), [file for file in files if file != root], True
    while found:
        found = next((file for file in left if file.name.encode() in text), None)
        if found:
            left.remove(found)
            path = os.path.normpath(os.path.join("p/q", os.path.relpath(found, root.parent)))
            if not path.startswith(".."):
                text = text.removesuffix(b"\n") + b"\n=== " + path.encode() + b"\n" + found.read_bytes()
    return text


def editions(kind, case):
    before, after = (next(case.glob(f"{edition}.*")).read_bytes() for edition in ("before", "after"))
    return b"\n===\n".join([kind.encode(), before, after])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
