"""Rewards that are asked for before they are needed, so that training goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Protocol, TypeVar

import torch

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.idefics3.reward_model import Example

GroupedBoxes = Sequence[Sequence[Box | None]]
"""G boxes for each of B examples; None where a completion has no valid box."""

T = TypeVar("T")


class Beginning(Protocol[T]):
    """What another model or program computes of examples and their boxes."""

    overlaps: bool
    """whether it computes while the caller goes on, so that it is worth drawing more boxes meanwhile"""
    scalars: dict[str, torch.Tensor]
    """for the log, of what was last waited for; may be empty"""

    def begin(self, examples: Sequence[Example], boxes: GroupedBoxes) -> Callable[[], T]:
        """Begins to compute; what is returned waits for the result, or raises its error."""

    def close(self) -> None:
        """Breaks off what is being computed, and ends threads and processes."""


def begin(reward: Callable[[Sequence[Example], GroupedBoxes], T], examples: Sequence[Example], boxes: GroupedBoxes):
    """As `Beginning.begin`; a reward that is no `Beginning` is computed here and now."""
    if hasattr(reward, "begin"):
        return reward.begin(examples, boxes)
    found = reward(examples, boxes)
    return lambda: found


def close(reward: object) -> None:
    """As `Beginning.close`; what is no `Beginning` has nothing to end."""
    if hasattr(reward, "close"):
        reward.close()


class Apart:
    """A `Beginning` that calls a function of torch in a thread of its own, one call after another."""

    overlaps = True

    def __init__(self, function: Callable[[Sequence[Example], GroupedBoxes], torch.Tensor]) -> None:
        self.function, self.scalars = function, {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reward")

    def begin(self, examples: Sequence[Example], boxes: GroupedBoxes) -> Callable[[], torch.Tensor]:
        # A thread has its own autocast; here it is that of the caller, so that the function computes as it would there.
        kinds = [kind for kind in ("cuda", "cpu") if torch.is_autocast_enabled(kind)]
        autocast = [(kind, torch.get_autocast_dtype(kind)) for kind in kinds]
        return self._pool.submit(self._call, autocast, examples, boxes).result

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _call(
        self, autocast: list[tuple[str, torch.dtype]], examples: Sequence[Example], boxes: GroupedBoxes
    ) -> torch.Tensor:
        with ExitStack() as stack:
            for kind, dtype in autocast:
                stack.enter_context(torch.autocast(kind, dtype))
            return self.function(examples, boxes)
