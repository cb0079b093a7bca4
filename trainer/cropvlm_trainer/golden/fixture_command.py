"""The command line of `cropvlm-train fixture`."""

import argparse
from pathlib import Path

from cropvlm_trainer.golden.settings import REAL_FILES, SEED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, required=True, help="the folder that gets tiny/, tiny-hub/ and tiny-attention/"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--full-size", action="store_true", help="write full-size/ instead: 256M random weights")
    parser.add_argument("--files", type=Path, default=REAL_FILES, help="config and tokenizer of --full-size")


def run(args: argparse.Namespace) -> int:
    # Imported when the command runs: torch takes seconds, and --help should not.
    from cropvlm_trainer.golden.fixture import save_full_size, save_tiny

    if args.full_size:
        save_full_size(args.out, args.files, args.seed)
    else:
        save_tiny(args.out, args.seed)
    print(f"wrote {args.out}")
    return 0
