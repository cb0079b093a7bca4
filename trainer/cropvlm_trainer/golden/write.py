"""Writes golden files, with each case on a line of its own."""

import json
from pathlib import Path


def write_golden(path: Path, golden: dict) -> None:
    """Writes a JSON object whose `cases` is a list; equal goldens are written as equal bytes."""
    head = {key: value for key, value in golden.items() if key != "cases"}
    lines = [json.dumps(case, ensure_ascii=True) for case in golden["cases"]]
    text = json.dumps(head, indent=1, ensure_ascii=True)[:-2]
    path.write_text(f'{text},\n "cases": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
