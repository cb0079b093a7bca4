"""The rows of each step of a run: epochs, batches, and the order in which the data set's rows are taken."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from cropvlm_trainer.training.stage_config import StageConfig


def batches(rows: Sequence[dict], config: StageConfig) -> list[list[dict]]:
    """Returns the rows of each step: `config.batch` of them, for `config.epochs`, and for `config.max_steps` at most.

    Raises ValueError where the rows do not fill one batch.
    """
    order = shuffled(rows, config.epochs, config.batch, config.seed)
    steps = [order[start : start + config.batch] for start in range(0, len(order), config.batch)]
    if not steps:
        raise ValueError(f"{config.data} has {len(rows)} questions, less than a batch of {config.batch}; lower batch")
    return steps[: config.max_steps]


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
