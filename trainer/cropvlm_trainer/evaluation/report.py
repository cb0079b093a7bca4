"""The report of an evaluation: a JSON object, which `export` stores with a model, and Markdown tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cropvlm_trainer.boxes import WHOLE, Box
from cropvlm_trainer.evaluation.markdown import table
from cropvlm_trainer.evaluation.rows import source_of
from cropvlm_trainer.evaluation.scores import (
    Answers,
    choice_counts,
    exact_by_kind,
    grouped,
    own_measures,
)
from cropvlm_trainer.metrics.exact_and_iou import area, box_measures
from cropvlm_trainer.metrics.own_measure import ANLS, CHOICE, EXACT, VQA, VQA_REFERENCE, measure_of

TITLES = {
    EXACT: "exact match",
    VQA: "VQA accuracy",
    VQA_REFERENCE: "VQA accuracy, reference code",
    ANLS: "ANLS",
    CHOICE: "multiple choice",
}
NOTES = """Exact match: equal to one of the answers but for case, outer spaces and a final full stop. VQA accuracy:
official normalisation; "reference code": only lower-cased, one final full stop removed. ANLS at 0.5. Multiple choice:
refused and unparseable answers count as wrong. A crop without a valid box is the whole image."""


def held_out(rows: Sequence[dict], answers: Mapping[str, Answers], found: Sequence[Box | None] | None) -> dict:
    """Returns the scores as the report's "held_out" object. All scores are in 0..1.

    `answers` holds the target's answers by what it saw, one for each row. `found` holds the cropper's boxes in per
    cent, one for each row, and is None where no cropper was evaluated.
    """
    report = {
        "pages": len({row["image"] for row in rows}),
        "questions": len(rows),
        "exact_match": {name: exact_by_kind(rows, some) for name, some in answers.items()},
        "boxes": {},
        "own_measure": {name: own_measures(rows, some) for name, some in answers.items()},
        "measures": {},
        "choices": {name: counts for name, some in answers.items() if (counts := choice_counts(rows, some))},
        "failed": {name: some.count(None) for name, some in answers.items() if None in some},
        "notes": [],
    }
    for measure in TITLES:
        by_cropping = {name: grouped(rows, some, measure, source_of) for name, some in answers.items()}
        # Whether a measure applies depends on the rows alone, so it is empty for all croppings or for none.
        if any(by_cropping.values()):
            report["measures"][measure] = by_cropping
    if found is not None:
        boxed = [(box, row["box"]) for box, row in zip(found, rows, strict=True) if row.get("box")]
        if boxed:
            report["boxes"] = box_measures(*zip(*boxed, strict=True))
        sizes = [area(box or WHOLE) / 10_000 for box in found]
        report["cropper"] = {"no_valid_box": found.count(None), "size": sum(sizes) / len(sizes)}
    report["notes"] = _notes(rows, report)
    return report


def _notes(rows: Sequence[dict], report: dict) -> list[str]:
    """Returns what a reader of the scores must know about rows without boxes, invalid boxes and missing answers."""
    notes = []
    boxless = sum(not row.get("box") for row in rows)
    if boxless:
        over = "; box measures are over the others" if boxless < len(rows) else " and no box measures"
        notes.append(f"{boxless} of {len(rows)} rows have no box: no rows for true and random boxes{over}")
    if report.get("cropper", {}).get("no_valid_box"):
        count = report["cropper"]["no_valid_box"]
        notes.append(
            f"the cropper gave no valid box for {count} of {len(rows)} questions, where the full image stands in"
        )
    if report["failed"]:
        counts = ", ".join(f"{count} ({name})" for name, count in report["failed"].items())
        notes.append(f"answers that the target failed to give, and that count as wrong: {counts}")
    return notes


def markdown(report: dict, rows: Sequence[dict]) -> str:
    """Returns all tables of a report, with scores in per cent."""
    parts = [score_table(report["exact_match"])]
    overview = {
        name: {TITLES[measure]: scores[name]["all"] for measure, scores in report["measures"].items()}
        for name in report["exact_match"]
    }
    parts.append(score_table(overview, "all rows they apply to"))
    if any(row.get("source") for row in rows):
        own = {source_of(row): TITLES[measure_of(row)] for row in rows}
        parts.append(score_table(report["own_measure"], "the datasets' own measures"))
        parts.append("Own measures: " + ", ".join(f"{source} {own[source]}" for source in sorted(own)) + ".")
    if report["choices"]:
        parts.append(_table("multiple choice, questions", report["choices"], str))
    if report["boxes"]:
        parts.append("boxes: " + ", ".join(f"{name} {100 * value:.1f} %" for name, value in report["boxes"].items()))
    return "\n\n".join([*parts, NOTES, *(f"Note: {note}." for note in report["notes"])])


def score_table(scores: Mapping[str, Mapping[str, float]], title: str = "exact match") -> str:
    """Returns a Markdown table of scores in per cent, with a row for each cropping. `scores` are in 0..1."""
    return _table(f"{title}, %", scores, lambda value: f"{100 * value:.1f}")


def _table(title: str, values: Mapping[str, Mapping], text_of: Callable[[Any], str]) -> str:
    columns = list(next(iter(values.values())))
    return table(title, columns, {name: [text_of(row[c]) for c in columns] for name, row in values.items()})
