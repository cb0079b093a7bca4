"""The command line of `cropvlm-train data synth`."""

from __future__ import annotations

import argparse
from pathlib import Path

from cropvlm_trainer.data.seed.arguments import ROOM, add_room, check_room
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.data.synth.documents import pages
from cropvlm_trainer.data.synth.documents.fonts import PACKAGES, system_folders
from cropvlm_trainer.data.synth.documents.write import default_workers
from cropvlm_trainer.options import check_positive

MINIATURE, DOCUMENTS = "miniature", "documents"
KINDS = {MINIATURE: dataset.KINDS, DOCUMENTS: pages.KINDS}
QUESTIONS = {MINIATURE: 1, DOCUMENTS: 16}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--style",
        choices=(MINIATURE, DOCUMENTS),
        default=MINIATURE,
        help="miniature (default): small pages for the models of 96 pixels; documents: what scanners and cameras make "
        "of receipts, invoices, forms, tables and signs, with their text in manifest.text.jsonl",
    )
    parser.add_argument("--n", type=int, required=True, help="pages")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="folder for manifest.jsonl and images/")
    some = "; ".join(f"{style}: {', '.join(kinds)}" for style, kinds in KINDS.items())
    parser.add_argument("--kinds", nargs="+", metavar="KIND", help=f"default: all of the style ({some})")
    each = ", ".join(f"{count} of {style}" for style, count in QUESTIONS.items())
    parser.add_argument("--questions", type=int, help=f"questions a page, at most (default: {each})")
    parser.add_argument(
        "--fonts",
        type=Path,
        nargs="+",
        help="documents: folders with fonts (default: the system's). Those of Debian's packages are used: "
        + " ".join(PACKAGES),
    )
    parser.add_argument("--workers", type=int, help="documents: processes that draw (default: one a core)")
    add_room(parser)


def settle(args: argparse.Namespace) -> None:
    """Sets what was not given. Raises ValueError for options that do not go together."""
    wrong = [kind for kind in args.kinds or () if kind not in KINDS[args.style]]
    if wrong:
        raise ValueError(
            f"--kinds {' '.join(wrong)}: --style {args.style} has {', '.join(KINDS[args.style])}; give some of these"
        )
    if args.style == MINIATURE and any(given is not None for given in (args.fonts, args.workers, args.room)):
        raise ValueError(f"--fonts, --workers and --room are for --style {DOCUMENTS}; leave them out, or give it")
    check_positive(args, ("n", "workers", "questions"))
    args.kinds = args.kinds or list(KINDS[args.style])
    args.questions = args.questions or QUESTIONS[args.style]
    args.room = args.room or ROOM
    check_room(args.room)
    args.fonts, args.workers = args.fonts or system_folders(), args.workers or default_workers()
