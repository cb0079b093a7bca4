"""The stages of the paper's training, which share one TOML file, and the command line options for it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from cropvlm_trainer.training.config import NO_UNKNOWN_KEYS, Advice, load_config, parse_override
from cropvlm_trainer.training.stage_config import Count, CountOrZero, PositiveAsInPaper, StageConfig

RecipeName = Literal["paper", "released"]
"""How advantages and the loss are scaled: as in the paper's Eq. 1, or as in its released code."""


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class SftConfig(StageConfig):
    """Supervised fine-tuning. Every row of `data` has a `box`."""

    workers: CountOrZero = 2
    """processes that read images and cut them into tiles during training; with 0 the training process does it"""


@dataclass(frozen=True, config=NO_UNKNOWN_KEYS)
class GrpoConfig(StageConfig):
    """GRPO. The model in `base` is the policy, the reference and the reward VLM."""

    learning_rate: PositiveAsInPaper = 5e-6
    max_grad_norm: PositiveAsInPaper = 0.1
    adapter: Path | None = None
    """LoRA adapter of the SFT to start from; None starts from the base"""
    reward: Literal["log_likelihood", "accuracy"] = "log_likelihood"
    reward_resolution: Count = 512
    """longest edge of the full image and of the crop that the reward VLM sees, in pixels"""
    recipe: RecipeName = "paper"
    group: Annotated[int, Field(ge=2), Advice("advantages compare a question's boxes; the paper has {default:g}")] = 6
    """boxes drawn for each question"""
    temperature: Annotated[
        float, Field(gt=0), Advice("at 0 all boxes of a group would be the same; the paper has {default:g}")
    ] = 0.8
    """of the sampling of boxes"""
    beta: Annotated[float, Field(ge=0), Advice("the paper has {default:g}")] = 0.01
    """weight of the KL divergence from the reference"""
    max_new_tokens: Count = 32
    """tokens of a drawn box, the end token included"""


AUTO, NEVER = "auto", "never"
STAGES = {"sft": SftConfig, "grpo": GrpoConfig}
"""Each stage's config by the name of its table in the file."""


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="TOML file; the paper's values where it is silent")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a key over the file's, e.g. lora.r=16"
    )
    parser.add_argument(
        "--resume",
        choices=(AUTO, NEVER),
        default=AUTO,
        help=f"{AUTO} (default): go on with the run that `out` holds, from its last saved state; {NEVER}: refuse to. A "
        "run that gets SIGTERM finishes its step, saves its state and exits with 0",
    )


def read_config(stage: str, args: argparse.Namespace) -> SftConfig | GrpoConfig:
    """Returns the config of a stage ("sft" or "grpo") as `--config` and `--set` give it.

    Raises as `load_config`, and ValueError where `out` holds a run that `--resume never` forbids to go on with.
    """
    config = load_config(STAGES, stage, args.config, dict(parse_override(text) for text in args.set))
    if args.resume == NEVER and (config.out / "config.json").exists():
        raise ValueError(f"{config.out} holds a run; give another out, or --resume {AUTO} to go on with it")
    return config
