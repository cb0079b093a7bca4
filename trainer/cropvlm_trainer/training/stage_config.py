"""What both stages of training can be told. The defaults are the paper's values (Section 4.1).

The defaults here are SFT's; `stages.py` has GRPO's where they differ.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from cropvlm_trainer.idefics3.lora_settings import LoraSettings
from cropvlm_trainer.training.config import NO_UNKNOWN_KEYS, Advice

Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]
PositiveAsInPaper = Annotated[float, Field(gt=0), Advice("the paper has {default:g}")]


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class StageConfig:
    base: Path
    """checkpoint folder"""
    data: Path
    """data set (JSONL); image paths in it are relative to its folder"""
    out: Path
    """run folder"""
    resolution: Count = 512
    """longest edge of the cropper's images, in pixels"""
    learning_rate: PositiveAsInPaper = 5e-5
    max_grad_norm: PositiveAsInPaper = 1.0
    """gradients are scaled down to this norm where theirs is larger"""
    warmup: Annotated[float, Field(ge=0, lt=1), Advice("warmup is a share of the steps")] = 0.03
    """share of the steps in which the learning rate rises"""
    batch: Count = 16
    """questions in one optimizer step"""
    micro_batch: Count = 1
    """questions in one forward and backward pass"""
    epochs: Count = 1
    max_steps: Annotated[int | None, Field(ge=1), Advice("leave it out for whole epochs")] = None
    """the run ends after this many steps; None: after `epochs`"""
    seed: int = 0
    precision: Literal["bf16", "fp32"] = "bf16"
    gradient_checkpointing: bool = True
    """whether the vision encoder's activations are computed again in the backward pass, which saves memory"""
    save_every: Count = 50
    """steps between two saved states, each with its adapter in `last/`"""
    sample_every: CountOrZero = 50
    """steps between two sets of sample pictures; the last step has a set too; 0 draws none"""
    eval_data: Path | None = None
    """data set (JSONL) on which the run is scored while it trains; nothing is learnt from it"""
    eval_every: CountOrZero = 0
    """steps between two scorings; the last step is scored too; 0 scores nothing"""
    lora: LoraSettings = field(default_factory=LoraSettings)

    @model_validator(mode="after")
    def _check_batch(self) -> StageConfig:
        if self.batch % self.micro_batch:
            raise ValueError(f"batch ({self.batch}) must be a multiple of micro_batch ({self.micro_batch})")
        return self

    @model_validator(mode="after")
    def _check_eval(self) -> StageConfig:
        if self.eval_every and self.eval_data is None:
            raise ValueError("eval_every needs eval_data, a manifest that nothing is trained on")
        if self.eval_data is not None and not self.eval_every:
            raise ValueError("eval_data is used every eval_every steps; set eval_every, as 200")
        return self

    def check_processes(self, count: int) -> None:
        """Raises ValueError unless `count` processes can share a batch in whole micro-batches."""
        if self.batch % (count * self.micro_batch):
            raise ValueError(
                f"batch {self.batch} cannot be shared by {count} processes in micro-batches of {self.micro_batch}; "
                "choose a batch that is a multiple of their product"
            )
