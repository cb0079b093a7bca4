"""JSONL files of rows: read with line numbers in the errors, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path


def read_rows(path: Path) -> list[dict]:
    """All rows; raises FileNotFoundError or ValueError (a line that is no JSON object, a file without rows)."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not a file: write a manifest with `cropvlm-train data build` or `data synth`"
        )
    rows = []
    # Not splitlines: a JSON text may hold U+2028 and its like.
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} of {path} is not JSON ({error}); mend or remove it") from error
        if not isinstance(row, dict):
            raise ValueError(f"line {number} of {path} is not a JSON object; mend or remove it")
        rows.append(row)
    if not rows:
        raise ValueError(f"{path} has no rows; write it anew with `cropvlm-train data build` or `data synth`")
    return rows


def check_beside(manifest: Path, out: Path) -> None:
    """Raises ValueError for a new manifest that exists, or lies in another folder, where image paths would not hold."""
    if out.resolve().parent != manifest.resolve().parent:
        raise ValueError(f"image paths are relative to the manifest: choose an --out in {manifest.parent}")
    if out.exists():
        raise ValueError(f"{out} already exists; choose another --out or remove it")


def to_lines(rows: Iterable[dict]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def write_whole(path: Path, content: bytes) -> None:
    """Under a name of its own first: who reads `path`, or finds it after a kill, finds all of it or nothing."""
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_bytes(content)
    os.replace(draft, path)
