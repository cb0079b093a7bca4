"""What both stages of training can be told; the paper's values where nothing is said (contract, "Training").

The defaults here are SFT's; `stages.py` has GRPO's own where they differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cropvlm_trainer.idefics3.lora import LoraSettings
from cropvlm_trainer.idefics3.tokenizer import MAX_GRID


@dataclass(frozen=True)
class StageConfig:
    base: Path
    """checkpoint folder"""
    data: Path
    """manifest (JSONL); its images lie beside it"""
    out: Path
    """run folder"""
    resolution: int = 512
    """longest edge of the cropper's images, pixels"""
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
    save_every: int = 50
    """steps"""
    sample_every: int = 50
    """steps from one set of sample pictures to the next, with one of the last step too; 0 draws none"""
    lora: LoraSettings = field(default_factory=LoraSettings)

    def __post_init__(self) -> None:
        for name in ("resolution", "batch", "micro_batch", "epochs", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.sample_every < 0:
            raise ValueError(f"sample_every must be 0 or more, not {self.sample_every}")
        if self.max_steps is not None and self.max_steps < 1:
            raise ValueError(f"max_steps must be 1 or more, not {self.max_steps}; leave it out for whole epochs")
        if self.batch % self.micro_batch:
            raise ValueError(f"batch ({self.batch}) must be a multiple of micro_batch ({self.micro_batch})")
        defaults = type(self).__dataclass_fields__
        for name in ("learning_rate", "max_grad_norm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0; the paper has {defaults[name].default:g}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup is a share of the steps, 0 or more and below 1, not {self.warmup}")

    def check_processes(self, count: int) -> None:
        """Raises ValueError where so many processes cannot share a batch in whole micro-batches."""
        if self.batch % (count * self.micro_batch):
            raise ValueError(
                f"batch {self.batch} cannot be shared by {count} processes in micro-batches of {self.micro_batch}; "
                "choose a batch that is a multiple of their product"
            )


def check_resolution(name: str, resolution: int, tile: int) -> None:
    """Raises ValueError for a longest edge (pixels) that a model with such tiles cannot see."""
    if resolution % tile:
        raise ValueError(f"{name} {resolution} must be a multiple of the model's tiles, {tile} pixels")
    if resolution > MAX_GRID * tile:
        raise ValueError(f"{name} {resolution} is too large: the model's tiles have names up to {MAX_GRID * tile}")
