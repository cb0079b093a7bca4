"""The order in which a run comes to a manifest's rows."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def shuffled(rows: Sequence[dict], epochs: int, batch: int, seed: int) -> list[dict]:
    """The rows of all steps in order: each epoch in an order of its own, without what does not fill a batch."""
    order: list[dict] = []
    for epoch in range(epochs):
        some = list(rows)
        Random(f"{seed}/{epoch}").shuffle(some)
        order += some[: len(some) - len(some) % batch]
    return order
