"""The command line of `cropvlm-train full-sft`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, help="TOML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a key over the file's, e.g. steps=400"
    )
    parser.add_argument("--stop-at", type=int, help="stop after this step, to go on later")
    parser.add_argument("--device", default="auto")


def run(args: argparse.Namespace) -> None:
    # Imported when the command runs: torch takes seconds, and --help should not.
    from cropvlm_trainer.full_sft.config import read_config
    from cropvlm_trainer.full_sft.train import train

    train(read_config(args), args.device, args.stop_at)
