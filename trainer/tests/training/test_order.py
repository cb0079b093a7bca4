from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cropvlm_trainer.training.order import batches, shuffled
from cropvlm_trainer.training.stages import SftConfig


def test_each_epoch_has_an_order_of_its_own():
    rows = [{"id": number} for number in range(7)]
    order = [row["id"] for row in shuffled(rows, 2, 3, seed=1)]
    first, second = order[:6], order[6:]
    assert len(order) == 12 and len(set(first)) == len(set(second)) == 6
    assert first != second and first != sorted(first)
    assert order == [row["id"] for row in shuffled(rows, 2, 3, seed=1)]
    assert order != [row["id"] for row in shuffled(rows, 2, 3, seed=2)]
    assert shuffled(rows, 2, 8, seed=1) == []


def test_the_rows_of_each_step():
    rows = [{"id": number} for number in range(7)]
    config = SftConfig(Path("base"), Path("rows.jsonl"), Path("out"), batch=3, epochs=2, seed=1)
    order = shuffled(rows, 2, 3, seed=1)
    assert batches(rows, config) == [order[:3], order[3:6], order[6:9], order[9:]]
    assert batches(rows, dataclasses.replace(config, max_steps=3)) == [order[:3], order[3:6], order[6:9]]
    with pytest.raises(ValueError, match="rows.jsonl has 7 questions, less than a batch of 8; lower batch"):
        batches(rows, dataclasses.replace(config, batch=8))
