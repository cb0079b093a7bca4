"""Data sets: JSONL files with a row for each line, whose images lie beside them. All checks of a row are here.

Every command that reads a data set names the fields that it needs; what such a field must hold is stated here alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from glob import escape
from pathlib import Path

from cropvlm_trainer.boxes import check_box
from cropvlm_trainer.files import numbered_lines

DATASET = "manifest.jsonl"
"""The name of the data set's file in the folders that `data build` and `data synth` write."""
TEXTS = ("id", "image", "question")
"""Fields that hold a text. `answers` holds a list of texts, and `box` a box in per cent of the upright image."""


def read_rows(
    dataset: Path, needs: Sequence[str] = (), may_have: Sequence[str] = (), limit: int | None = None
) -> list[dict]:
    """Returns the first `limit` rows of a JSONL file, or all of them, checked.

    Each row must have the fields in `needs`; the fields in `may_have` are checked in the rows that have them. There
    are checks for `id`, `image`, `question`, `answers` and `box`.
    Raises FileNotFoundError without a file, and ValueError for a line that is not a JSON object, a file without rows
    and a row that lacks what is needed.
    """
    rows = _objects(dataset)[:limit]
    for number, row in enumerate(rows, start=1):
        fields = [*needs, *(field for field in may_have if row.get(field) is not None)]
        for field in fields:
            _check(row.get(field), field, f"row {number} of {dataset}")
    return rows


def check_images(dataset: Path, rows: Iterable[dict]) -> None:
    """Raises FileNotFoundError where image files of these rows are missing, so that a run does not fail hours later."""
    lacking: dict[str, int] = {}
    known: set[str] = set()
    for number, row in enumerate(rows, start=1):
        image = row["image"]
        if image not in known and not (dataset.parent / image).is_file():
            lacking[image] = number
        known.add(image)
    if lacking:
        image, number = next(iter(lacking.items()))
        raise FileNotFoundError(
            f"row {number} of {dataset} needs {dataset.parent / image}, which is not there ({len(lacking)} images "
            "lack); put them back, or write the set anew with `cropvlm-train data build`"
        )


def is_text(value: object) -> bool:
    """Whether this is a text that is not blank."""
    return isinstance(value, str) and bool(value.strip())


NO_ANSWERS = ("", "unanswerable")
"""Votes of people who saw no answer, lower-cased and stripped."""


def target_votes(answers: Iterable[str]) -> list[str]:
    """Returns the answers that may be the one to learn, lower-cased and stripped: all but `NO_ANSWERS`."""
    votes = (answer.lower().strip() for answer in answers)
    return [vote for vote in votes if vote not in NO_ANSWERS]


def has_target(row: dict) -> bool:
    """Whether a row has an answer to learn, or no `answers` at all, as rows of boxes alone."""
    return row.get("answers") is None or bool(target_votes(row["answers"]))


def with_target(dataset: Path, rows: Sequence[dict]) -> list[dict]:
    """Returns the rows that `has_target` is true of, and says on stderr how many others there are.

    Raises ValueError where no row is left.
    """
    kept = [row for row in rows if has_target(row)]
    if not kept:
        raise ValueError(f"every answer in {dataset} is blank or unanswerable; there is nothing to learn from it")
    if len(kept) < len(rows):
        print(
            f"{len(rows) - len(kept)} rows of {dataset} left out: every answer is blank or unanswerable",
            file=sys.stderr,
        )
    return kept


def is_texts(value: object) -> bool:
    """Whether this is a list of at least one text; the texts may be blank."""
    return isinstance(value, list | tuple) and len(value) > 0 and all(isinstance(text, str) for text in value)


def check_beside(dataset: Path, out: Path) -> None:
    """Raises ValueError unless `out` is a new file in the folder of `dataset`; image paths are relative to it."""
    if out.resolve().parent != dataset.resolve().parent:
        raise ValueError(f"image paths are relative to the manifest: choose an --out in {dataset.parent}")
    if out.exists():
        beside = sorted(path.name for path in out.parent.glob(f"{escape(out.stem)}.*.jsonl"))
        kept = [name for name in beside if not name.endswith(".rejected.jsonl")]
        keep = f" (not {', '.join(kept)}: what is in there is not asked or read again)" if kept else ""
        raise ValueError(f"{out} already exists; choose another --out or remove it{keep}")


def _check(value: object, field: str, where: str) -> None:
    """Raises ValueError for a value that the field may not hold; the message begins with `where`."""
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
    for number, row in numbered_lines(path):
        if not isinstance(row, dict):
            raise ValueError(f"line {number} of {path} is not a JSON object; mend or remove it")
        rows.append(row)
    if not rows:
        raise ValueError(f"{path} has no rows; write it anew with `cropvlm-train data build` or `data synth`")
    return rows
