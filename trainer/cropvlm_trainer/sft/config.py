"""What a run of supervised fine-tuning is asked for; the defaults are the paper's (contract, "Training")."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cropvlm_trainer.lora import LoraSettings


@dataclass(frozen=True)
class SftConfig:
    base: Path
    """checkpoint folder"""
    data: Path
    """manifest (JSONL) with a `box` a row; its images lie beside it"""
    out: Path
    """run folder"""
    resolution: int = 512
    """longest edge of the images, pixels"""
    learning_rate: float = 5e-5
    max_grad_norm: float = 1.0
    warmup: float = 0.03
    """share of the steps"""
    batch: int = 16
    """questions a step"""
    micro_batch: int = 1
    """questions in one pass"""
    epochs: int = 1
    max_steps: int | None = None
    seed: int = 0
    precision: Literal["bf16", "fp32"] = "bf16"
    gradient_checkpointing: bool = True
    """of the vision tower"""
    workers: int = 2
    """processes that read and cut images beside the training; 0 does it in between"""
    save_every: int = 50
    """steps"""
    sample_every: int = 50
    """steps between sample pictures; 0 draws none"""
    lora: LoraSettings = field(default_factory=LoraSettings)

    def __post_init__(self) -> None:
        for name in ("resolution", "batch", "micro_batch", "epochs", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        for name in ("workers", "sample_every"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        if self.batch % self.micro_batch:
            raise ValueError(f"batch ({self.batch}) must be a multiple of micro_batch ({self.micro_batch})")
        if self.max_steps is not None and self.max_steps < 1:
            raise ValueError(f"max_steps must be 1 or more, not {self.max_steps}; leave it out for whole epochs")
        if not self.learning_rate > 0:
            raise ValueError("learning_rate must be above 0; the paper has 5e-5")
        if not self.max_grad_norm > 0:
            raise ValueError("max_grad_norm must be above 0; the paper has 1.0, and a large value clips nothing")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is a share of the steps, 0 or more and below 1, not {self.warmup}")
