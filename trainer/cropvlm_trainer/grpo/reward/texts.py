"""The accuracy of what another model or program says about each box's crop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch

from cropvlm_trainer.boxes import WHOLE, Box
from cropvlm_trainer.grpo.reward.asked import GroupedBoxes
from cropvlm_trainer.grpo.reward.scorer import Scorer
from cropvlm_trainer.idefics3.reward_model import CORNER, Example, unique_pairs

FAILED = "failed"
"""The log's name of the share of boxes without a text."""


class TextSource(Protocol):
    def begin(self, asked: Sequence[tuple[Example, Box]]) -> Callable[[], list[str | None]]:
        """Begins to ask about examples and a box (or `CORNER`) of each, and returns at once.

        What is returned waits for the texts, in order; None where there is none.
        """

    def close(self) -> None:
        """Breaks off what is being asked, and ends threads and processes."""


class TextAccuracy:
    """A `Beginning`: examples and their boxes -> accuracies 0..1, f32 `[B, G]`."""

    overlaps = True

    def __init__(self, source: TextSource, score: Scorer, corner: bool) -> None:
        """`corner`: as `RewardModel.answers` has it."""
        self.source, self.score, self.corner = source, score, corner
        self.scalars: dict[str, torch.Tensor] = {}
        """of what was last waited for, for the log: `failed`, the share of the boxes without a text"""

    def begin(self, examples: Sequence[Example], boxes: GroupedBoxes) -> Callable[[], torch.Tensor]:
        """Waiting raises what the source raises.

        Where there is no text for a box, the mean of the group's others stands in, which teaches nothing.
        """
        pairs, places = unique_pairs(boxes, CORNER if self.corner else WHOLE)
        texts = self.source.begin([(examples[row], box) for row, box in pairs])

        def accuracies() -> torch.Tensor:
            scores = [
                float("nan") if text is None else self.score(text, examples[row])
                for (row, _), text in zip(pairs, texts(), strict=True)
            ]
            found = torch.tensor([[scores[place] for place in group] for group in places])
            failed = found.isnan()
            self.scalars = {FAILED: failed.float().mean()}
            return torch.where(failed, found.nanmean(dim=1, keepdim=True).nan_to_num(0.0), found)

        return accuracies

    def close(self) -> None:
        self.source.close()
