"""What a run of GRPO can be told; `base` is policy, reference and reward VLM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cropvlm_trainer.stage_config import StageConfig


@dataclass(frozen=True)
class GrpoConfig(StageConfig):
    learning_rate: float = 5e-6
    max_grad_norm: float = 0.1
    adapter: Path | None = None
    """LoRA adapter of the SFT to start from; None starts from the base"""
    reward: Literal["log_likelihood", "accuracy"] = "log_likelihood"
    reward_resolution: int = 512
    """longest edge of the full image and the crop that the reward VLM sees, pixels each"""
    recipe: Literal["paper", "released"] = "paper"
    group: int = 6
    """boxes drawn for each question"""
    temperature: float = 0.8
    beta: float = 0.01
    """of the KL to the reference"""
    max_new_tokens: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("reward_resolution", "max_new_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.beta < 0:
            raise ValueError(f"beta must be 0 or more, not {self.beta}; the paper has 0.01")
        if self.group < 2:
            raise ValueError("group must be 2 or more: advantages compare a question's boxes; the paper has 6")
        if not self.temperature > 0:
            raise ValueError("temperature must be above 0, or all boxes of a group are the same; the paper has 0.8")
