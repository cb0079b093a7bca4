"""What a run of supervised fine-tuning can be told; `data` has a `box` a row."""

from __future__ import annotations

from dataclasses import dataclass

from cropvlm_trainer.stage_config import StageConfig


@dataclass(frozen=True)
class SftConfig(StageConfig):
    workers: int = 2
    """processes that read and cut images beside the training; 0 does it in between"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.workers < 0:
            raise ValueError(f"workers must be 0 or more, not {self.workers}")
