"""The stages of the paper's training, which share one TOML file, and how a command line names their settings."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cropvlm_trainer.training.config import load_config, parse_override
from cropvlm_trainer.training.stage_config import StageConfig


@dataclass(frozen=True)
class SftConfig(StageConfig):
    """Supervised fine-tuning; `data` has a `box` a row."""

    workers: int = 2
    """processes that read and cut images beside the training; 0 does it in between"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.workers < 0:
            raise ValueError(f"workers must be 0 or more, not {self.workers}")


@dataclass(frozen=True)
class GrpoConfig(StageConfig):
    """GRPO; `base` is policy, reference and reward VLM."""

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


STAGES = {"sft": SftConfig, "grpo": GrpoConfig}
"""By the name of their table in the file."""


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="TOML file; the paper's values where it is silent")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a key over the file's, e.g. lora.r=16"
    )


def read_config(stage: str, args: argparse.Namespace) -> SftConfig | GrpoConfig:
    return load_config(STAGES, stage, args.config, dict(parse_override(text) for text in args.set))
