"""The command line of `cropvlm-train eval`."""

from __future__ import annotations

import argparse

from cropvlm_trainer.evaluation import arguments

add_arguments = arguments.add_arguments


def run(args: argparse.Namespace) -> None:
    # Imported when the command runs: torch takes seconds, and --help should not.
    from cropvlm_trainer.evaluation.evaluate import evaluate

    evaluate(args)
