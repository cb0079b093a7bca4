"""TensorBoard events, read back by TensorBoard's own reader."""

from __future__ import annotations

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cropvlm_trainer.training.tensorboard import TensorBoardWriter


def read(folder) -> dict[str, list[tuple[int, float]]]:
    accumulator = EventAccumulator(str(folder / "events"), size_guidance={"scalars": 0})
    accumulator.Reload()
    names = accumulator.Tags()["scalars"]
    return {name: [(event.step, event.value) for event in accumulator.Scalars(name)] for name in names}


def test_names_steps_and_values_are_those_given(tmp_path):
    writer = TensorBoardWriter(tmp_path, 0)
    writer.scalars(1, {"loss": 0.5, "reward/format": 1.0})
    writer.scalars(2, {"loss": -0.25})
    writer.close()
    assert read(tmp_path) == {"loss": [(1, 0.5), (2, -0.25)], "reward/format": [(1, 1.0)]}


def test_what_was_given_is_on_disk_at_once(tmp_path):
    writer = TensorBoardWriter(tmp_path, 0)
    writer.scalars(1, {"loss": 0.5})
    assert read(tmp_path) == {"loss": [(1, 0.5)]}, "a kill takes nothing back"
    writer.close()


@pytest.mark.parametrize("first", [0, 2])
def test_a_resumed_run_shows_each_step_once(tmp_path, first):
    writer = TensorBoardWriter(tmp_path, 0)
    for step in (1, 2, 3):
        writer.scalars(step, {"loss": step / 4, "kl": 0.0})
    # The run was killed: its writer is not closed, and its last state is of step `first`.
    resumed = TensorBoardWriter(tmp_path, first)
    for step in range(first + 1, 5):
        resumed.scalars(step, {"loss": step * 2.0})
    resumed.close()
    kept = list(range(1, first + 1))
    expected = [(step, step / 4) for step in kept] + [(step, step * 2.0) for step in range(first + 1, 5)]
    found = read(tmp_path)
    assert found["loss"] == expected
    assert found.get("kl", []) == [(step, 0.0) for step in kept]
    writer.close()
