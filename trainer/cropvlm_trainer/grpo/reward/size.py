"""What a large box costs, for models and readers that find the answer in a large crop too."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from cropvlm_trainer.boxes import WHOLE, Box
from cropvlm_trainer.grpo.reward.asked import GroupedBoxes, begin, close
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.metrics.exact_and_iou import area
from cropvlm_trainer.training.stages import Invalid

SIZE = "size"
"""The reward's name in the log."""


class Sized:
    """A `Beginning`: the rewards of another one, and beside them `size`, f32 `[B, G]`, 0 or less."""

    def __init__(self, reward: Callable, weight: float, free: float, invalid: Invalid) -> None:
        """`weight` and `free` as in `size_costs`."""
        self.reward, self.weight, self.free, self.invalid = reward, weight, free, invalid
        self.overlaps = getattr(reward, "overlaps", False)

    @property
    def scalars(self) -> dict[str, torch.Tensor]:
        return getattr(self.reward, "scalars", {})

    def begin(self, examples: Sequence[Example], boxes: GroupedBoxes) -> Callable[[], dict[str, torch.Tensor]]:
        others = begin(self.reward, examples, boxes)

        def rewards() -> dict[str, torch.Tensor]:
            found = others()
            device = next(iter(found.values())).device
            return {**found, SIZE: -size_costs(boxes, self.weight, self.free, self.invalid).to(device)}

        return rewards

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        return self.begin(examples, boxes)()

    def close(self) -> None:
        close(self.reward)


def size_costs(boxes: GroupedBoxes, weight: float, free: float, invalid: Invalid) -> torch.Tensor:
    """f32 `[B, G]`: `weight` for a box of the whole page, 0 up to `free`, a share of the page, and evenly between.

    Where there is no valid box: that of the whole page with `invalid` "full", the most of the group's valid boxes with
    "penalty", and 0, as of a tiny box, with "2x2".
    """
    instead: Box = (0, 0, 0, 0) if invalid == "2x2" else WHOLE
    areas = torch.tensor([[area(box or instead) / 10_000 for box in group] for group in boxes])
    costs = weight * (areas - free).clamp(min=0) / (1 - free)
    return -penalised(-costs, valid_boxes(boxes)) if invalid == "penalty" else costs


def penalised(values: torch.Tensor, is_valid: torch.Tensor) -> torch.Tensor:
    """The values, f32 `[B, G]`, with the least of each group's valid boxes where `is_valid` is 0."""
    least = values.masked_fill(is_valid == 0, float("inf")).amin(dim=1, keepdim=True)
    # A group without any valid box has one value for all, and learns nothing.
    return torch.where((is_valid == 0) & least.isfinite(), least, values)


def valid_boxes(boxes: GroupedBoxes) -> torch.Tensor:
    """f32 `[B, G]`: 1 where there is a valid box, 0 elsewhere."""
    return torch.tensor([[float(box is not None) for box in group] for group in boxes])
