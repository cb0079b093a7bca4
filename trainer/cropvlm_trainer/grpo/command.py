"""`cropvlm-train grpo`: trains the policy from a TOML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from cropvlm_trainer.config import load_config, parse_override
from cropvlm_trainer.grpo.train import GrpoConfig, train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="TOML file; the paper's values where it is silent")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a key over the file's, e.g. lora.r=16"
    )


def run(args: argparse.Namespace) -> None:
    train(load_config(GrpoConfig, args.config, dict(parse_override(text) for text in args.set)))
