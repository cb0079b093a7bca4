"""The optimizers of training from scratch: Muon for the matrices inside the layers, AdamW for all else.

Under AdamW alone the mini models stay on the plateau where nothing has been found yet (LOG.md).
Muon: Jordan et al. 2024, here torch's, its updates scaled to AdamW's size (Liu et al. 2025).
"""

from __future__ import annotations

import math

import torch
from torch import nn


class Optimizers:
    """Both as one; the learning rates follow a linear warm-up and a cosine to a twentieth."""

    def __init__(self, model: nn.Module, recipe) -> None:
        self.recipe = recipe
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
        """AdamW's, now."""
        return self.schedules[1].get_last_lr()[0]

    def state_dict(self) -> list[dict]:
        return [part.state_dict() for part in (*self.optimizers, *self.schedules)]

    def load_state_dict(self, states: list[dict]) -> None:
        for part, state in zip((*self.optimizers, *self.schedules), states, strict=True):
            part.load_state_dict(state)


def is_hidden_matrix(name: str) -> bool:
    """Whether a two-dimensional parameter maps features to features; embeddings and heads do not."""
    return "layers." in name or "modality_projection" in name


def learning_rate(step: int, recipe) -> float:
    """The share of the recipe's learning rates at this step."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
