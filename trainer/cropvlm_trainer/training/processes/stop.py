"""SIGTERM, as a cluster sends it, ends a run after the step in progress, with its state saved."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed


class StopSignal:
    asked = False
    """whether this process got SIGTERM"""

    def everywhere(self, device: torch.device) -> bool:
        """Whether any process of the run got it. All processes call this after the same step."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return self.asked
        flag = torch.tensor(float(self.asked), device=device)
        distributed.all_reduce(flag, distributed.ReduceOp.MAX)
        return bool(flag.item())


@contextmanager
def stopped_by_sigterm(stop: StopSignal | None = None) -> Iterator[StopSignal]:
    """Within it SIGTERM does not end the process; what it gives, `stop` or a new one, says whether the signal came."""
    stop = stop or StopSignal()

    def note(number: int, frame: object) -> None:
        stop.asked = True

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
