"""The order in which a run takes the rows of its data set."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def shuffled(rows: Sequence[dict], epochs: int, batch: int, seed: int) -> list[dict]:
    """Returns the rows of all steps in order, `batch` rows a step.

    Each epoch has an order of its own. Rows at its end that do not fill a batch are left out of that epoch.
    """
    order: list[dict] = []
    for epoch in range(epochs):
        some = list(rows)
        Random(f"{seed}/{epoch}").shuffle(some)
        order += some[: len(some) - len(some) % batch]
    return order
