"""Manifests: JSONL files of rows, each row checked with its number in the error, written whole or not at all.

Every command that reads a manifest names the fields that it needs; what such a field must hold is stated here alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from cropvlm_trainer.boxes import check_box

TEXTS = ("id", "image", "question")
"""Fields that hold a text. `answers` holds a list of texts, and `box` a box in per cent of the upright image."""


def read_rows(
    manifest: Path, needs: Sequence[str] = (), may_have: Sequence[str] = (), limit: int | None = None
) -> list[dict]:
    """The first `limit` rows (None: all), each with the fields `needs`; `may_have` are checked where they are.

    Fields that are checked: `id`, `image`, `question`, `answers` and `box`.
    Raises FileNotFoundError without a file, and ValueError for a line that is no JSON object, a file without rows and
    a row without what is needed.
    """
    rows = _objects(manifest)[:limit]
    for number, row in enumerate(rows, start=1):
        fields = [*needs, *(field for field in may_have if row.get(field) is not None)]
        for field in fields:
            _check(row.get(field), field, f"row {number} of {manifest}")
    return rows


def check_images(manifest: Path, rows: Iterable[dict]) -> None:
    """Raises FileNotFoundError where images of these rows are not there: now, rather than hours into a run."""
    lacking: dict[str, int] = {}
    known: set[str] = set()
    for number, row in enumerate(rows, start=1):
        image = row["image"]
        if image not in known and not (manifest.parent / image).is_file():
            lacking[image] = number
        known.add(image)
    if lacking:
        image, number = next(iter(lacking.items()))
        raise FileNotFoundError(
            f"row {number} of {manifest} needs {manifest.parent / image}, which is not there ({len(lacking)} images "
            "lack); put them back, or write the set anew with `cropvlm-train data build`"
        )


def is_text(value: object) -> bool:
    """Whether this is a text that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def is_texts(value: object) -> bool:
    """Whether this is a list of one text or more, which may be blank."""
    return isinstance(value, list | tuple) and len(value) > 0 and all(isinstance(text, str) for text in value)


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


def _check(value: object, field: str, where: str) -> None:
    """Raises ValueError, which begins with `where`, for what the field may not hold."""
    if field == "box":
        try:
            check_box(value)
        except ValueError as error:
            raise ValueError(f"{where}: {error}; give every row a box with `cropvlm-train data seed`") from error
    elif field == "answers":
        if not is_texts(value):
            raise ValueError(f"{where} has no answers, a list of texts; mend or remove it")
    elif field in TEXTS:
        if not is_text(value):
            raise ValueError(f"{where} has no {field}; mend or remove it")
    else:
        raise KeyError(f"{field} is a field that no check is known for")


def _objects(path: Path) -> list[dict]:
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
