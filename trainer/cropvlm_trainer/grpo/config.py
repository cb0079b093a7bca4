"""What `cropvlm-train grpo` can be told; the paper's values where it is silent (contract, "Training")."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cropvlm_trainer.lora import LoraSettings


@dataclass(frozen=True)
class GrpoConfig:
    base: Path
    """checkpoint folder: policy, reference and reward VLM"""
    data: Path
    """manifest (JSONL); its images lie beside it"""
    out: Path
    """run folder"""
    adapter: Path | None = None
    """LoRA adapter of the SFT to start from; None starts from the base"""
    resolution: int = 512
    """longest edge of the policy's images, pixels"""
    reward: Literal["log_likelihood", "accuracy"] = "log_likelihood"
    reward_resolution: int = 512
    recipe: Literal["paper", "released"] = "paper"
    group: int = 6
    temperature: float = 0.8
    beta: float = 0.01
    max_new_tokens: int = 32
    learning_rate: float = 5e-6
    max_grad_norm: float = 0.1
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
    sample_every: int = 50
    """steps from one set of pictures of sampled boxes to the next; there is one of the last step too"""
    lora: LoraSettings = field(default_factory=LoraSettings)

    def __post_init__(self) -> None:
        for name in ("batch", "micro_batch", "epochs", "save_every", "sample_every", "max_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}; it must be 1 or more")
        if self.group < 2:
            raise ValueError("group must be 2 or more: advantages compare a question's boxes; the paper has 6")
        if self.batch % self.micro_batch:
            raise ValueError(f"batch ({self.batch}) must be a multiple of micro_batch ({self.micro_batch})")
        if not self.temperature > 0:
            raise ValueError("temperature must be above 0, or all boxes of a group are the same; the paper has 0.8")
