"""The questions to score: `manifest.jsonl` beside its images, and which measure each takes."""

from __future__ import annotations

import re
from pathlib import Path

from cropvlm_trainer.metrics.choices import letter_of, listed_options, right_option
from cropvlm_trainer.rows import read_rows

EXACT, VQA, ANLS, CHOICE = "exact_match", "vqa_accuracy", "anls", "multiple_choice"
MEASURES = {
    "synth": EXACT,
    # `data build`'s name for rows whose manifest named no source
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
"""A dataset's own measure (paper, section 4.1), by how its `source` starts: `HR-Bench 4k` is `hrbench`."""
UNNAMED = "no source"


def scored_rows(data: Path, limit: int | None) -> list[dict]:
    """The first `limit` rows of a manifest, each checked.

    They have `image`, `question`, `answers`; where the data has them `box`, `source`, `kind`. `box` is in per cent of
    the upright image. Rows of multiple choice have `options`, a list of texts whose letters count from A, unless the
    question itself lists them; `answers` then holds the right one's letter or text.
    Raises FileNotFoundError without a manifest, ValueError where it has no rows or one of these cannot be scored.
    """
    path = data / "manifest.jsonl"
    rows = read_rows(path, needs=("image", "question", "answers"), may_have=("box",), limit=limit)
    rows = [{"kind": "page", **row} for row in rows]
    for number, row in enumerate(rows, start=1):
        try:
            _check(row)
        except ValueError as error:
            raise ValueError(f"row {number} of {path}: {error}") from error
    return rows


def measure_of(row: dict) -> str:
    """The measure of the row's dataset; that of a row without a source is exact match, as of synthetic pages."""
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
    return row.get("source") or UNNAMED


def options_of(row: dict) -> list[str]:
    """The options of a row of multiple choice, in the order of their letters; empty for any other row."""
    if row.get("options"):
        return [str(option) for option in row["options"]]
    return listed_options(row["question"]) if measure_of(row) == CHOICE else []


def asked_question(row: dict) -> str:
    """What the target is asked: the question, with its options where it does not list them itself."""
    if not row.get("options") or listed_options(row["question"]):
        return row["question"]
    lines = [f"({letter_of(i)}) {option}" for i, option in enumerate(options_of(row))]
    return "\n".join([row["question"], *lines])


def _check(row: dict) -> None:
    """Raises ValueError where the row's source, options or answers cannot be scored."""
    if measure_of(row) != CHOICE and not row.get("options"):
        return
    if not 2 <= len(options_of(row)) <= 26:
        raise ValueError('multiple choice needs 2 to 26 options; list their texts under "options"')
    right_option(row["answers"], options_of(row))
