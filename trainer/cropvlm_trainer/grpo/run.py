"""A run folder: what was asked for, the log (JSONL and TensorBoard), and the state to go on from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from cropvlm_trainer.board import Board
from cropvlm_trainer.run import open_log, refuse_other, save_whole


class Run:
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
            self.file = open_log(out / "log.jsonl", self.first)
            self.board = Board(out, self.first)

    def log(self, step: int, scalars: dict[str, float]) -> None:
        if self.main:
            self.file.write(json.dumps({"step": step, **scalars}) + "\n")
            self.file.flush()
            self.board.scalars(step, scalars)

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
            self.file.close()
            self.board.close()

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
