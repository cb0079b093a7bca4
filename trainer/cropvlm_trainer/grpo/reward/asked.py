"""Rewards that are asked for before they are needed, so that training goes on meanwhile; what is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from typing import Protocol, TypeVar

import torch

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import to_pixels
from cropvlm_trainer.idefics3.reward_model import CORNER, Example

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


def question_of(example: Example) -> str:
    """Returns the question as another model or program is asked it."""
    return example.asked or example.question


def pixels_of(example: Example, box: Box) -> Box:
    """Returns the pixels of the example's image that are the crop to a box, or to `CORNER`."""
    width, height = example.image.size
    return (0, 0, min(2, width), min(2, height)) if box == CORNER else to_pixels(box, width, height)


def image_hash(example: Example) -> str:
    """Returns a hash of the size and the pixels of the example's image."""
    image = example.image
    return sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()


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
