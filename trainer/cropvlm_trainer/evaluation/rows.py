"""The rows that an evaluation scores, their measures, and their questions as a target is asked them."""

from __future__ import annotations

import re
from pathlib import Path

from cropvlm_trainer.metrics.choices import letter_of, listed_options, right_option
from cropvlm_trainer.rows import DATASET, read_rows

EXACT, VQA, ANLS, CHOICE = "exact_match", "vqa_accuracy", "anls", "multiple_choice"
MEASURES = {
    "synth": EXACT,
    # The name that `data build` gives to rows of a data set that named no source.
    "jsonl": EXACT,
    "textvqa": VQA,
    "docvqa": ANLS,
    "infographicvqa": ANLS,
    "infovqa": ANLS,
    "stvqa": ANLS,
    "vstar": CHOICE,
    "v*": CHOICE,
    "hrbench": CHOICE,
}
"""Each data set's own measure (paper, section 4.1), by what its `source` begins with: `HR-Bench 4k` is `hrbench`."""
UNNAMED = "no source"


def scored_rows(data: Path, limit: int | None) -> list[dict]:
    """Returns the first `limit` rows of the data set in the folder `data`, or all of them, checked.

    Each row has `image`, `question`, `answers` and `kind` ("page" where the data set has none), and `box` (per cent of
    the upright image) and `source` where the data set has them. A row of multiple choice has `options`, a list of texts
    with letters from A on, unless its question lists them; its `answers` hold the right option's letter or text.
    Raises FileNotFoundError without a data set, and ValueError for one without rows or a row that cannot be scored.
    """
    path = data / DATASET
    rows = read_rows(path, needs=("image", "question", "answers"), may_have=("box",), limit=limit)
    rows = [{"kind": "page", **row} for row in rows]
    for number, row in enumerate(rows, start=1):
        try:
            _check(row)
        except ValueError as error:
            raise ValueError(f"row {number} of {path}: {error}") from error
    return rows


def measure_of(row: dict) -> str:
    """Returns the own measure of the row's data set; for a row without a source, exact match.

    Raises ValueError for a source that is not known.
    """
    if not row.get("source"):
        return EXACT
    name = re.sub(r"[^a-z0-9*]", "", str(row["source"]).lower())
    for start, measure in MEASURES.items():
        if name.startswith(start):
            return measure
    raise ValueError(
        f"the source {row['source']!r} is none of {', '.join(MEASURES)}; name one of these, or leave it out to "
        "score by exact match"
    )


def source_of(row: dict) -> str:
    """Returns the row's source, or `UNNAMED`."""
    return row.get("source") or UNNAMED


def options_of(row: dict) -> list[str]:
    """Returns the options of a multiple choice row in the order of their letters; for any other row, an empty list."""
    if row.get("options"):
        return [str(option) for option in row["options"]]
    return listed_options(row["question"]) if measure_of(row) == CHOICE else []


def asked_question(row: dict) -> str:
    """Returns the question as the target is asked it, with the options below it unless it lists them itself."""
    if not row.get("options") or listed_options(row["question"]):
        return row["question"]
    lines = [f"({letter_of(i)}) {option}" for i, option in enumerate(options_of(row))]
    return "\n".join([row["question"], *lines])


def _check(row: dict) -> None:
    """Raises ValueError where the row cannot be scored because of its source, options or answers."""
    if measure_of(row) != CHOICE and not row.get("options"):
        return
    if not 2 <= len(options_of(row)) <= 26:
        raise ValueError('multiple choice needs 2 to 26 options; list their texts under "options"')
    right_option(row["answers"], options_of(row))
