"""How right an answer is, by a data set's measure or by a function of one's own."""

from __future__ import annotations

from collections.abc import Callable

from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.metrics.own_measure import measure_of, row_score
from cropvlm_trainer.own_function import import_function

Scorer = Callable[[str, Example], float]
"""An answer and its example -> 0..1."""


def make_scorer(measure: str) -> Scorer:
    """The scorer that `measure` names: one of `stages.MEASURES`, or `module:function`.

    Raises ValueError as `import_function`.
    """
    if ":" not in measure:
        return lambda answer, example: accuracy(answer, example, measure)
    function = import_function(measure, "measure")

    def score(answer: str, example: Example) -> float:
        found = function(answer, list(example.answers))
        if not isinstance(found, int | float) or not 0 <= found <= 1:
            raise ValueError(f"{measure} gave {found!r} for {answer!r}; it has to give a number in 0..1")
        return float(found)

    return score


def accuracy(answer: str, example: Example, measure: str = "own") -> float:
    """How right an answer is, 0..1, by a measure; "own" is that of the example's data set, as in evaluations."""
    row = {name: getattr(example, name) for name in ("question", "answers", "source", "options")}
    return row_score(row, answer, measure_of(row) if measure == "own" else measure)
