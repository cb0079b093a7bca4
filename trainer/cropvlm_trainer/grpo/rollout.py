"""What a GRPO step drew, at three times: while its rewards are waited for, when it is known, and for further updates.

In the shapes: B questions, G completions of each, N = B * G completions, T tokens of the longest completion, S x S
pixels of a tile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.idefics3.generation import Completions


@dataclass(frozen=True)
class StepOutcome:
    """The boxes that a step drew and what they were worth, for the sample pictures."""

    boxes: list[list[Box | None]]
    """G boxes for each of the B examples"""
    rewards: dict[str, torch.Tensor]
    """f32 `[B, G]` by name"""


@dataclass(frozen=True)
class Drawn:
    """What a call drew and what it was worth, for further updates."""

    prompts: list[list[int]]
    """token ids of each of the B prompts"""
    tiles: torch.Tensor
    """uint8 `[tiles, S, S, 3]`: of all prompts in order"""
    completions: Completions
    advantage: torch.Tensor
    """f32 `[N]`"""
    old_log_probs: torch.Tensor
    """f32 `[N, T]`: of the policy that drew"""
    reference_log_probs: torch.Tensor | None
    """f32 `[N, T]`; None without a reference"""


@dataclass(frozen=True)
class Rollout:
    """What `Step.draw` drew for B examples, while it is found out what that is worth."""

    prompts: list[list[int]]
    """token ids of each of the B prompts"""
    tiles: torch.Tensor
    """uint8 `[tiles, S, S, 3]`: of all prompts in order"""
    completions: Completions
    boxes: list[list[Box | None]]
    """G boxes for each of the B examples"""
    rewards: Callable[[], dict[str, torch.Tensor]]
    """waits for the rewards, f32 `[B, G]` by name"""
    log_probs: torch.Tensor
    """f32 `[N, T]`: the policy's, with gradients"""
    reference_log_probs: torch.Tensor | None
    """f32 `[N, T]`; None without a reference"""
    redrawn: int = 0
    """groups that were drawn anew; one may be several times"""
