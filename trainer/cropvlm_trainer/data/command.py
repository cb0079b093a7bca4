"""`cropvlm-train data ...`."""

from __future__ import annotations

import argparse
from pathlib import Path

from cropvlm_trainer.data import synth


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="data_command", required=True)
    make = commands.add_parser("synth", help="draw synthetic pages whose answers are too small to read as a whole")
    make.add_argument("--n", type=int, required=True, help="pages")
    make.add_argument("--seed", type=int, default=0)
    make.add_argument("--out", type=Path, required=True, help="folder for manifest.jsonl and images/")
    make.add_argument("--kinds", nargs="+", choices=synth.KINDS, default=list(synth.KINDS))
    make.add_argument("--questions", type=int, default=1, help="questions a page, at most")


def run(args: argparse.Namespace) -> None:
    synth.write(args.out, args.n, args.seed, args.kinds, args.questions)
