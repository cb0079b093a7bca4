"""TensorBoard events of a run folder: `tensorboard --logdir RUN` draws them."""

from __future__ import annotations

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

FOLDER = "events"


class Board:
    def __init__(self, folder: Path, first: int) -> None:
        """Writes under `folder/events`; `first` is the number of steps taken, whose events alone stay valid."""
        # A file of its own at each start: what a killed run wrote past its last state is purged, not overwritten.
        self.writer = SummaryWriter(str(folder / FOLDER), purge_step=first + 1)

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """One point a name at `step`, which counts from 1."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        # A run that goes on from its state needs all points before it, so none may wait in memory.
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()
