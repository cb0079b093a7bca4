"""Scores of answers: each measure over the rows that it applies to, all together and by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from cropvlm_trainer.evaluation.rows import source_of
from cropvlm_trainer.metrics.choices import OUTCOMES
from cropvlm_trainer.metrics.own_measure import CHOICE, EXACT, measure_of, options_of, row_outcome, row_score

AVERAGE = "average"

Answers = Sequence[str | None]
"""An answer for each row; None where the target gave none, which counts as wrong."""


def applies(row: dict, measure: str) -> bool:
    """Whether a measure applies to a row.

    Exact match applies to every row, multiple choice to rows with options, the other measures to rows without.
    """
    return measure == EXACT or (measure == CHOICE) == bool(options_of(row))


def grouped(rows: Sequence[dict], answers: Answers, measure: str, group: Callable[[dict], str]) -> dict[str, float]:
    """Returns the mean score over the rows that the measure applies to, under "all", and over each group of them.

    `group` gives a row's group. The result is empty where the measure applies to no row.
    """
    scores = [(group(r), row_score(r, a, measure)) for r, a in zip(rows, answers, strict=True) if applies(r, measure)]
    if not scores:
        return {}
    groups = sorted({name for name, _ in scores})
    by_group = {name: _mean([score for other, score in scores if other == name]) for name in groups}
    return {"all": _mean([score for _, score in scores]), **by_group}


def exact_by_kind(rows: Sequence[dict], answers: Answers) -> dict[str, float]:
    """Returns exact match over all rows and by the `kind` of page."""
    return grouped(rows, answers, EXACT, lambda row: row["kind"])


def own_measures(rows: Sequence[dict], answers: Answers) -> dict[str, float]:
    """Returns each source's score by its own measure, and under "average" their plain mean (paper, Table 2)."""
    scores: dict[str, list[float]] = {}
    for row, answer in zip(rows, answers, strict=True):
        scores.setdefault(source_of(row), []).append(row_score(row, answer, measure_of(row)))
    means = {source: _mean(some) for source, some in sorted(scores.items())}
    return {**means, AVERAGE: _mean(list(means.values()))}


def choice_counts(rows: Sequence[dict], answers: Answers) -> dict[str, int]:
    """Returns the number of multiple choice rows by outcome (`choices.OUTCOMES`, or "failed" without an answer).

    Empty where there are no multiple choice rows.
    """
    found = Counter(
        "failed" if answer is None else row_outcome(row, answer)
        for row, answer in zip(rows, answers, strict=True)
        if options_of(row)
    )
    return {name: found[name] for name in (*OUTCOMES, "failed")} if found else {}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
