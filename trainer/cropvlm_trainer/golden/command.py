"""The command line of `cropvlm-train golden`."""

import argparse
from pathlib import Path

from cropvlm_trainer.golden.settings import PARTS, REAL, REAL_FILES, SEED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="the fixtures' folder: test/fixtures")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--real-files", type=Path, default=REAL_FILES, help=f"tokenizer and processor of {REAL}")


def run(args: argparse.Namespace) -> int:
    # Imported when the command runs: torch takes seconds, and --help should not.
    from cropvlm_trainer.golden.goldens import write_goldens

    write_goldens(args.out, tuple(args.only), args.real_files, args.seed)
    print(f"wrote {args.out}")
    return 0
