"""GRPO's advantages and loss as pure functions (paper, Eq. 1; contract, "Training").

`paper`: advantages over the group's standard deviation, each completion's tokens averaged (Shao et al. 2024).
`released`: the released code's Dr. GRPO (Liu et al. 2025): no division by the spread, and by the longest possible
completion instead of by each one's length.
"""

from __future__ import annotations

from typing import Literal

import torch

RecipeName = Literal["paper", "released"]
EPSILON = 1e-4
"""Added to the standard deviation, as TRL does."""


def advantages(rewards: torch.Tensor, recipe: RecipeName) -> torch.Tensor:
    """Rewards `[B, G]` -> advantages `[B, G]`; a group without spread has none."""
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    if recipe == "released":
        return centred
    return centred / (rewards.std(dim=1, keepdim=True) + EPSILON)


def kl(policy: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Schulman's k3 estimate a token, never negative: r - 1 - log r for r = reference / policy."""
    difference = reference - policy
    return difference.exp() - difference - 1


def grpo_loss(
    log_probs: torch.Tensor,
    reference: torch.Tensor,
    mask: torch.Tensor,
    advantage: torch.Tensor,
    *,
    beta: float,
    recipe: RecipeName,
    max_new_tokens: int,
) -> torch.Tensor:
    """The loss of completions that were sampled from the very policy that is trained.

    `log_probs` with gradients, `reference` without, `mask`: `[N, T]`; `advantage` `[N]`. With one update a sample the
    probability ratio is 1, so nothing is ever clipped; its gradient is that of `log_probs`.
    """
    ratio = (log_probs - log_probs.detach()).exp()
    per_token = -ratio * advantage[:, None] + beta * kl(log_probs, reference)
    per_token = per_token * mask
    if recipe == "released":
        return per_token.sum() / (len(per_token) * max_new_tokens)
    return (per_token.sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()
