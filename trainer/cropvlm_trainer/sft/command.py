"""`cropvlm-train sft`: teaches a base to answer with a box, from a TOML file."""

from __future__ import annotations

import argparse

from cropvlm_trainer.training.stages import add_config_arguments, read_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> None:
    # Imported when the command runs: torch takes seconds, and --help should not.
    from cropvlm_trainer.sft.train import train

    train(read_config("sft", args))
