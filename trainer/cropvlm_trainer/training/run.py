"""A run folder: the log (JSONL and TensorBoard), and the state from which a killed run goes on.

`pretrain`, `sft` and `grpo` log here. `grpo` keeps its state here too; `sft` leaves that to transformers' Trainer, and
`pretrain` has two optimizers, whose state it saves with `save_whole`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import TextIO

import torch
from torch import nn

from cropvlm_trainer.files import replacing, to_line, whole_lines, write_json, write_whole
from cropvlm_trainer.training.identity import INPUTS, SHA256, refuse_other, remembering
from cropvlm_trainer.training.processes.ranks import check_same, digest, from_first
from cropvlm_trainer.training.tensorboard import TensorBoardWriter

LOCAL = ("out", "workers")
"""Settings in which the processes of a run may differ."""


class RunLog:
    """`log.jsonl` of a run folder, with a row for each step, and the same scalars as TensorBoard events."""

    def __init__(self, out: Path, first: int, events: bool = True) -> None:
        """`first` is the number of steps already taken: log rows of later steps are dropped.

        `events`: whether TensorBoard events are written.
        """
        self.file = open_log(out / "log.jsonl", first)
        self.tensorboard = TensorBoardWriter(out, first) if events else None

    def add(self, step: int, scalars: dict[str, float]) -> None:
        """Logs the scalars of a step, which counts from 1. They are on disk when this returns."""
        self.file.write(to_line({"step": step, **scalars}))
        self.file.flush()
        if self.tensorboard:
            self.tensorboard.scalars(step, scalars)

    def close(self) -> None:
        self.file.close()
        if self.tensorboard:
            self.tensorboard.close()


class Run:
    """A run folder whose state is the trained parameters, one optimizer and one schedule."""

    def __init__(
        self, out: Path, asked: dict, trained: Sequence[nn.Parameter], optimizer, schedule, main: bool
    ) -> None:
        """Opens the folder, and loads `out/state.pt` where it exists; `first` is then the number of steps taken.

        Of several processes the first has the folder: its weights and, where it goes on, its step, optimizer and
        schedule are those of all, whatever lies in theirs.
        `asked` is what `identity` says of the configuration. `main`: whether this process writes; of several one does.
        Raises ValueError where the folder holds a run with another configuration, and where the processes have other
        files or settings.
        """
        self.path, self.asked, self.trained, self.main = out / "state.pt", asked, list(trained), main
        self.optimizer, self.schedule = optimizer, schedule
        if main:
            out.mkdir(parents=True, exist_ok=True)
        files = {f"{name} ({asked.get(name)})": content for name, content in asked[SHA256].items()}
        settings = json.dumps({key: asked[key] for key in asked if key not in (*INPUTS, *LOCAL, SHA256)})
        check_same({"settings": settings, **files}, "give all processes the same configuration and files")
        self.first = self._resume()
        state = {"step": str(self.first), "weights": digest(self.trained), "optimizer": digest(_tensors_of(optimizer))}
        check_same(state, "this should not happen: report it")
        if main:
            write_json(out / "config.json", self.asked)
            self._log = RunLog(out, self.first)

    def log(self, step: int, scalars: dict[str, float]) -> None:
        if self.main:
            self._log.add(step, scalars)

    def save(self, step: int) -> None:
        """Saves the state after `step` steps."""
        if not self.main:
            return
        state = {
            "trained": [parameter.detach().cpu() for parameter in self.trained],
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        save_whole({**state, "step": step, "asked": self.asked}, self.path)

    def close(self) -> None:
        if self.main:
            self._log.close()

    def _resume(self) -> int:
        device = self.trained[0].device
        state = from_first(self._read, device)
        with torch.no_grad():
            for parameter, saved in zip(self.trained, state["trained"], strict=True):
                parameter.copy_(saved)
        if "optimizer" in state:
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
            renew_learning_rate(self.optimizer, self.schedule)
        return state["step"]

    def _read(self) -> dict:
        """The state in the folder; without one, the weights as they are and no step."""
        if not self.path.exists():
            return {"step": 0, "trained": [parameter.detach().cpu() for parameter in self.trained]}
        state = load_whole(self.path)
        refuse_other(self.path.parent, self.asked, state["asked"])
        self.asked = remembering(self.asked, state["asked"])
        return state


def _tensors_of(optimizer: torch.optim.Optimizer) -> list[torch.Tensor]:
    parts = optimizer.state_dict()["state"].values()
    return [value for part in parts for _, value in sorted(part.items()) if isinstance(value, torch.Tensor)]


def renew_learning_rate(optimizer, schedule) -> None:
    """Sets the learning rates to what the schedule, which was restored, has for its step.

    The optimizer's own state has the rates of the run before, which may have been planned for another number of steps.
    """
    rates = [
        base * factor(schedule.last_epoch) for base, factor in zip(schedule.base_lrs, schedule.lr_lambdas, strict=True)
    ]
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    schedule._last_lr = rates


def open_log(path: Path, first: int) -> TextIO:
    """Opens the log to add to it, after dropping the rows of steps after `first`, which will be taken again."""
    rows = whole_lines(path)
    # The file is replaced in one piece, so that a kill at this point loses no row of earlier runs.
    write_whole(path, "".join(row + "\n" for row in rows if json.loads(row)["step"] <= first).encode())
    return path.open("a")


def save_whole(state: dict, path: Path) -> None:
    """Saves with torch.save. After a kill, `path` holds the old state or the new one, never a part of it."""
    with replacing(path) as draft:
        torch.save(state, draft)


def load_whole(path: Path) -> dict:
    """Loads what `save_whole` saved. Raises ValueError for a file that holds more than tensors and plain values."""
    with refusing_pickles(path):
        return torch.load(path, map_location="cpu", weights_only=True)


@contextmanager
def refusing_pickles(path: Path) -> Iterator[None]:
    """Within it, what torch says of a file that it does not load becomes a ValueError that says what to do.

    `path`: the file or folder that is loaded from.
    """
    try:
        yield
    except UnpicklingError as error:
        raise ValueError(
            f"{path} is no saved state: it holds something else than tensors and plain values, which could run a "
            "stranger's code, and is not loaded; remove it and start anew, or give another out"
        ) from error
