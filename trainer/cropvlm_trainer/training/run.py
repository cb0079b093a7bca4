"""A run folder: the log (JSONL and TensorBoard), and the state to go on from.

`pretrain`, `sft` and `grpo` all log here. The state of `sft` is transformers' Trainer's, that of `pretrain` its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import torch
from torch import nn

from cropvlm_trainer.rows import write_whole
from cropvlm_trainer.training.tensorboard import Board


class RunLog:
    """`log.jsonl` of a run folder, a row a step, and the same as TensorBoard events where `events` says so."""

    def __init__(self, out: Path, first: int, events: bool = True) -> None:
        """`first`: the number of steps that earlier runs have taken, whose rows alone stay."""
        self.file = open_log(out / "log.jsonl", first)
        self.board = Board(out, first) if events else None

    def add(self, step: int, scalars: dict[str, float]) -> None:
        self.file.write(json.dumps({"step": step, **scalars}) + "\n")
        self.file.flush()
        if self.board:
            self.board.scalars(step, scalars)

    def close(self) -> None:
        self.file.close()
        if self.board:
            self.board.close()


class Run:
    """A run folder whose state is parameters, one optimizer and one schedule."""

    def __init__(
        self, out: Path, asked: dict, trained: Sequence[nn.Parameter], optimizer, schedule, main: bool
    ) -> None:
        """Goes on where `out/state.pt` stands: `first` is the number of steps taken.

        `main`: whether this process writes. Raises ValueError where the folder holds a run that was asked otherwise.
        """
        out.mkdir(parents=True, exist_ok=True)
        self.path, self.asked, self.trained, self.main = out / "state.pt", asked, list(trained), main
        self.optimizer, self.schedule = optimizer, schedule
        self.first = self._resume()
        if main:
            (out / "config.json").write_text(json.dumps(asked, indent=2) + "\n", encoding="utf-8")
            self._log = RunLog(out, self.first)

    def log(self, step: int, scalars: dict[str, float]) -> None:
        if self.main:
            self._log.add(step, scalars)

    def save(self, step: int) -> None:
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
        if not self.path.exists():
            return 0
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        refuse_other(self.path.parent, self.asked, state["asked"])
        with torch.no_grad():
            for parameter, saved in zip(self.trained, state["trained"], strict=True):
                parameter.copy_(saved)
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        return state["step"]


def open_log(path: Path, first: int) -> TextIO:
    """The log, without the rows of steps that a resumed run will take again."""
    # Only whole lines: a run that was killed while it wrote may have left a torn one.
    rows = path.read_text().split("\n")[:-1] if path.exists() else []
    # Whole before a step is taken: a kill must not cost what earlier runs logged.
    write_whole(path, "".join(row + "\n" for row in rows if json.loads(row)["step"] <= first).encode())
    return path.open("a")


def refuse_other(out: Path, asked: dict, there: dict) -> None:
    """Raises ValueError where the run in `out`, asked for as `there` says, was asked otherwise than now."""
    changed = sorted(key for key in {*asked, *there} if asked.get(key) != there.get(key))
    if changed:
        raise ValueError(f"{out} holds a run with another {', '.join(changed)}; give another out, or remove it")


def save_whole(state: dict, path: Path) -> None:
    """Written beside and renamed, so that a kill never leaves half a checkpoint."""
    torch.save(state, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)
