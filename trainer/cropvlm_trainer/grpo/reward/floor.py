"""What a log-likelihood counts at least.

A reader that is sure of what it misreads gives values far below those of a crop in which nothing can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from cropvlm_trainer.boxes import WHOLE
from cropvlm_trainer.grpo.reward.asked import GroupedBoxes
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.training.stages import Floor


class Floored:
    """Examples and their boxes -> values f32 `[B, G]`, each at least the floor: a number, or the full image's value.

    The difference to the full image's value would teach the same: advantages leave out what a group has in common.
    """

    def __init__(self, values: Callable[[Sequence[Example], GroupedBoxes], torch.Tensor], floor: Floor) -> None:
        self.values, self.floor = values, floor

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> torch.Tensor:
        if self.floor == "full":
            found = self.values(examples, [[*group, WHOLE] for group in boxes])
            return torch.maximum(found[:, :-1], found[:, -1:])
        found = self.values(examples, boxes)
        return found if self.floor is None else found.clamp(min=self.floor)
