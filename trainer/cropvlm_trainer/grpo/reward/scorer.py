"""How right an answer is, by a data set's measure or by a function of one's own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.metrics.own_measure import measure_of, row_score

Scorer = Callable[[str, Example], float]
"""An answer and its example -> 0..1."""


def make_scorer(measure: str) -> Scorer:
    """The scorer that `measure` names: one of `stages.MEASURES`, or `module:function`.

    A module is looked for in the working folder too. Raises ValueError where it or the function is not there.
    """
    module_name, _, name = measure.partition(":")
    if not name:
        return lambda answer, example: accuracy(answer, example, measure)
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        function = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"measure = {measure!r} is not there ({error}); start where its module lies") from error

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
