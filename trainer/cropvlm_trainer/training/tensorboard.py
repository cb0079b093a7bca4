"""Writes a run's scalars as TensorBoard events; `tensorboard --logdir RUN` draws them."""

from __future__ import annotations

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

FOLDER = "events"


class TensorBoardWriter:
    def __init__(self, folder: Path, first: int) -> None:
        """Writes into `folder/events`. `first` is the number of steps already taken; later events become invalid."""
        # Each start writes a file of its own. `purge_step` makes TensorBoard drop what a killed run logged after its
        # last saved state.
        self.writer = SummaryWriter(str(folder / FOLDER), purge_step=first + 1)

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Adds one point for each name at `step`, which counts from 1. The points are on disk when this returns."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        # A killed run goes on from its last state and does not log the steps before it again: they must be on disk.
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()
