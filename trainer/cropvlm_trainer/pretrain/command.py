"""The command line of `cropvlm-train pretrain`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="run folder; an unfinished run in it is resumed")
    parser.add_argument("--steps", type=int, default=9_000)
    parser.add_argument("--stop-at", type=int, help="stop after this step, to go on later; leaves checkpoint-STEP")
    parser.add_argument(
        "--pages",
        type=int,
        default=8,
        help="pages to read a batch, up to four questions each; twice as many to point at",
    )
    parser.add_argument(
        "--no-boxes",
        action="store_true",
        help="teach no box: to read, and to say how things look (questions that the full image alone answers), in "
        "place of pointing",
    )
    parser.add_argument("--save-every", type=int, default=500, help="steps between two saved states")
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of embeddings and vectors (AdamW)")
    parser.add_argument("--matrix-learning-rate", type=float, default=2e-3, help="of the layers' matrices (Muon)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")


def run(args: argparse.Namespace) -> None:
    # Imported when the command runs: torch takes seconds, and --help should not.
    from cropvlm_trainer.pretrain.train import pretrain

    pretrain(args)
