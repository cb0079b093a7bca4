"""The optimizers of training from scratch: Muon for the matrices inside the layers, AdamW for all other parameters.

Under AdamW alone the mini models do not learn to find what a question names (LOG.md, 2026-11-26). Muon is Jordan et
al. 2024 in torch's implementation, with updates scaled to the size of AdamW's (Liu et al. 2025).
"""

from __future__ import annotations

import math

import torch
from torch import nn

FLOOR = 0.05
"""Share of the learning rates that is left at the last step."""


class Optimizers:
    """Both optimizers behind the interface of one, each with the schedule of `learning_rate`."""

    def __init__(self, model: nn.Module, recipe) -> None:
        """`recipe` has `learning_rate` (AdamW), `matrix_learning_rate` (Muon), `weight_decay`, `warmup` and `steps`."""
        trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        matrices = [p for name, p in trained if p.ndim == 2 and is_hidden_matrix(name)]
        inside = {id(p) for p in matrices}
        others = [p for _, p in trained if id(p) not in inside]
        groups = [
            {"params": [p for p in others if p.ndim > 1], "weight_decay": recipe.weight_decay},
            {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
        ]
        muon = torch.optim.Muon(
            matrices,
            lr=recipe.matrix_learning_rate,
            weight_decay=recipe.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        )
        adamw = torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)
        self.optimizers = (muon, adamw)
        self.schedules = [
            torch.optim.lr_scheduler.LambdaLR(each, lambda step: learning_rate(step, recipe))
            for each in self.optimizers
        ]

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)

    def step(self) -> None:
        for optimizer, schedule in zip(self.optimizers, self.schedules, strict=True):
            optimizer.step()
            schedule.step()

    @property
    def lr(self) -> float:
        """AdamW's current learning rate."""
        return self.schedules[1].get_last_lr()[0]

    def state_dict(self) -> list[dict]:
        return [part.state_dict() for part in (*self.optimizers, *self.schedules)]

    def load_state_dict(self, states: list[dict]) -> None:
        for part, state in zip((*self.optimizers, *self.schedules), states, strict=True):
            part.load_state_dict(state)


def is_hidden_matrix(name: str) -> bool:
    """Whether the two-dimensional parameter of this name maps features to features; embeddings and heads do not."""
    return "layers." in name or "modality_projection" in name


def learning_rate(step: int, recipe) -> float:
    """The factor of the recipe's learning rates at this step, counted from 0.

    It rises linearly over `recipe.warmup` steps, then falls along a cosine to `FLOOR` at step `recipe.steps`.
    Written here because transformers' cosine with a floor runs one step ahead of this one: with it, a resumed run would
    not repeat an unbroken one, nor a new run those in LOG.md.
    """
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
