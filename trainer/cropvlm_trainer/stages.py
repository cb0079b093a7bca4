"""The stages of the paper's training, which share one TOML file, and how a command line names their settings."""

from __future__ import annotations

import argparse
from pathlib import Path

from cropvlm_trainer.config import load_config, parse_override
from cropvlm_trainer.grpo.config import GrpoConfig
from cropvlm_trainer.sft.config import SftConfig

STAGES = {"sft": SftConfig, "grpo": GrpoConfig}
"""By the name of their table in the file."""


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="TOML file; the paper's values where it is silent")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a key over the file's, e.g. lora.r=16"
    )


def read_config(stage: str, args: argparse.Namespace) -> SftConfig | GrpoConfig:
    return load_config(STAGES, stage, args.config, dict(parse_override(text) for text in args.set))
