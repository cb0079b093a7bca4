"""Each data set's own measure of answers: one map, for evaluations and for rewards."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cropvlm_trainer.metrics.anls import anls
from cropvlm_trainer.metrics.choices import letter_of, listed_options, outcome, right_option
from cropvlm_trainer.metrics.contains import contains, contains_anls
from cropvlm_trainer.metrics.exact_and_iou import exact_match
from cropvlm_trainer.metrics.vqa import vqa_accuracy, vqa_accuracy_as_reference

CONTAINS, CONTAINS_ANLS = "contains", "contains_anls"
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
VQA_REFERENCE = "vqa_accuracy_reference_code"

OPEN_MEASURES: dict[str, Callable[[str, Sequence[str]], float]] = {
    EXACT: exact_match,
    VQA: vqa_accuracy,
    VQA_REFERENCE: vqa_accuracy_as_reference,
    ANLS: anls,
    CONTAINS: contains,
    CONTAINS_ANLS: contains_anls,
}


def measure_of(row: Mapping[str, Any]) -> str:
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


def options_of(row: Mapping[str, Any]) -> list[str]:
    """Returns the options of a multiple choice row in the order of their letters; for any other row, an empty list."""
    if row.get("options"):
        return [str(option) for option in row["options"]]
    return listed_options(row["question"]) if measure_of(row) == CHOICE else []


def asked_question(row: Mapping[str, Any]) -> str:
    """Returns the question as the target is asked it, with the options below it unless it lists them itself."""
    if not row.get("options") or listed_options(row["question"]):
        return row["question"]
    lines = [f"({letter_of(i)}) {option}" for i, option in enumerate(options_of(row))]
    return "\n".join([row["question"], *lines])


def row_score(row: Mapping[str, Any], answer: str | None, measure: str) -> float:
    """Returns the score of one answer by a measure (one of `MEASURES`' values or of OPEN_MEASURES), in 0..1."""
    if answer is None:
        return 0.0
    if measure == CHOICE:
        return float(row_outcome(row, answer) == "right")
    return float(OPEN_MEASURES[measure](answer, row["answers"]))


def row_outcome(row: Mapping[str, Any], answer: str) -> str:
    """Returns the outcome of a multiple choice row, one of `choices.OUTCOMES`."""
    options = options_of(row)
    return outcome(answer, options, right_option(row["answers"], options))


def check_scored(row: Mapping[str, Any]) -> None:
    """Raises ValueError where the row cannot be scored because of its source, options or answers."""
    if measure_of(row) != CHOICE and not row.get("options"):
        return
    if not 2 <= len(options_of(row)) <= 26:
        raise ValueError('multiple choice needs 2 to 26 options; list their texts under "options"')
    right_option(row["answers"], options_of(row))
