"""From answers to scores: each measure where it applies, over all rows and over each group of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from cropvlm_trainer.evaluation.questions import ANLS, CHOICE, EXACT, VQA, measure_of, options_of, source_of
from cropvlm_trainer.metrics.anls import anls
from cropvlm_trainer.metrics.choices import OUTCOMES, outcome, right_option
from cropvlm_trainer.metrics.exact_and_iou import exact_match
from cropvlm_trainer.metrics.vqa import vqa_accuracy, vqa_accuracy_as_reference

VQA_REFERENCE = "vqa_accuracy_reference_code"
AVERAGE = "average"

OPEN_MEASURES: dict[str, Callable[[str, Sequence[str]], float]] = {
    EXACT: exact_match,
    VQA: vqa_accuracy,
    VQA_REFERENCE: vqa_accuracy_as_reference,
    ANLS: anls,
}

Answers = Sequence[str | None]
"""One a row; None where the target failed, which counts as wrong."""


def row_score(row: dict, answer: str | None, measure: str) -> float:
    """0..1."""
    if answer is None:
        return 0.0
    if measure == CHOICE:
        return float(row_outcome(row, answer) == "right")
    return float(OPEN_MEASURES[measure](answer, row["answers"]))


def row_outcome(row: dict, answer: str) -> str:
    """What became of a question of multiple choice, one of `choices.OUTCOMES`."""
    options = options_of(row)
    return outcome(answer, options, right_option(row["answers"], options))


def applies(row: dict, measure: str) -> bool:
    """Multiple choice where there are options, the measures of free answers where there are none.

    Exact match applies everywhere.
    """
    return measure == EXACT or (measure == CHOICE) == bool(options_of(row))


def grouped(rows: Sequence[dict], answers: Answers, measure: str, group: Callable[[dict], str]) -> dict[str, float]:
    """Means over all rows that the measure applies to (`all`) and over each group; empty where it applies to none."""
    scores = [(group(r), row_score(r, a, measure)) for r, a in zip(rows, answers, strict=True) if applies(r, measure)]
    if not scores:
        return {}
    groups = sorted({name for name, _ in scores})
    by_group = {name: _mean([score for other, score in scores if other == name]) for name in groups}
    return {"all": _mean([score for _, score in scores]), **by_group}


def exact_by_kind(rows: Sequence[dict], answers: Answers) -> dict[str, float]:
    """Exact match over all rows and by kind of page."""
    return grouped(rows, answers, EXACT, lambda row: row["kind"])


def own_measures(rows: Sequence[dict], answers: Answers) -> dict[str, float]:
    """Each source by its dataset's own measure, and the plain average over the sources, as the paper's tables have."""
    scores: dict[str, list[float]] = {}
    for row, answer in zip(rows, answers, strict=True):
        scores.setdefault(source_of(row), []).append(row_score(row, answer, measure_of(row)))
    means = {source: _mean(some) for source, some in sorted(scores.items())}
    return {**means, AVERAGE: _mean(list(means.values()))}


def choice_counts(rows: Sequence[dict], answers: Answers) -> dict[str, int]:
    """How many questions of multiple choice ended in each of `choices.OUTCOMES`, or failed; empty without any."""
    found = Counter(
        "failed" if answer is None else row_outcome(row, answer)
        for row, answer in zip(rows, answers, strict=True)
        if options_of(row)
    )
    return {name: found[name] for name in (*OUTCOMES, "failed")} if found else {}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
