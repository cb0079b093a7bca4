"""The command line of `cropvlm-train verify`."""

import argparse
from pathlib import Path

from cropvlm_trainer.export.settings import FLOOR, TOLERANCE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that `export` wrote")
    parser.add_argument("--checkpoint", type=Path, help="what it was exported from: compare with torch again")
    parser.add_argument("--base", type=Path, help="the base of an adapter, where the adapter does not lead to it")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="as of `export`")
    parser.add_argument("--floor", type=float, default=FLOOR, help="as of `export`")


def run(args: argparse.Namespace) -> int:
    """Prints a line for each check; returns 1 where one failed."""
    # Imported when the command runs: torch takes seconds, and --help should not.
    from cropvlm_trainer.export.verify import Against, verify

    if args.base and not args.checkpoint:
        raise ValueError("--base belongs to an adapter; name the adapter's folder with --checkpoint")
    against = Against(args.checkpoint, args.base, args.tolerance, args.floor) if args.checkpoint else None
    failures = 0
    for check in verify(args.folder, against):
        failures += not check.passed
        print(f"{'ok  ' if check.passed else 'FAIL'} {check.text}", flush=True)
    print(f"{args.folder}: {failures} checks failed" if failures else f"{args.folder}: everything is right")
    return 1 if failures else 0
