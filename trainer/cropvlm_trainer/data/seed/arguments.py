"""The options of `cropvlm-train data seed`: those of all methods, and those of one method only."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cropvlm_trainer.chat.endpoint import Endpoint
from cropvlm_trainer.data.shards import parse_shard
from cropvlm_trainer.options import check_positive, flag

VLM, GRID, TEXT, BEST_OF = "vlm", "grid", "text", "best-of"
PERCENTILE, TABLE3, NONE = "percentile", "table3", "none"
PIXELS, THOUSANDTHS, FRACTION = "pixels", "thousandths", "fraction"

ROOM = (14.0, 7.0)
"""Of text seeds, in per cent of the page: by how much a box is wider than its line, and how high it is, at least."""
DEFAULTS: dict[str, dict[str, Any]] = {
    VLM: {
        "url": None,
        "model": None,
        "key_env": None,
        "concurrency": Endpoint.concurrency,
        "timeout": Endpoint.timeout,
        "max_tokens": 256,
        "longest_edge": None,
        "coordinates": PIXELS,
        "asked_as": None,
        "grow": PERCENTILE,
    },
    GRID: {"base": None, "n": 5, "most_cells": None, "resolution": None, "seed": 0, "device": "auto"},
    TEXT: {"workers": None, "labels": None, "room": ROOM},
    BEST_OF: {
        "cropper": None,
        "base": None,
        "draws": 16,
        "temperature": 1.0,
        "least": None,
        "resolution": None,
        "seed": 0,
        "device": "auto",
    },
}
"""The options that not all methods have, with their defaults; None where there is no default."""
NEEDED = {VLM: ("url", "model"), GRID: ("base",), TEXT: (), BEST_OF: ("cropper",)}
POSITIVE = ("concurrency", "timeout", "max_tokens", "longest_edge", "n", "most_cells", "resolution")
POSITIVE += ("workers", "labels", "draws", "temperature")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--method",
        choices=(VLM, GRID, TEXT, BEST_OF),
        required=True,
        help="vlm: ask a big VLM for the region; grid: try every sub-rectangle of a grid with the reward model; text: "
        "the line of the picture's text that holds the answer, read by an OCR (pip install 'cropvlm-trainer[ocr]'); "
        "best-of: draw boxes with a cropper and take the one that helps the reward model most",
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="new manifest (.jsonl), in the folder of the other")
    parser.add_argument(
        "--shard", metavar="I/N", help="only the I-th of N parts of the images; `data merge` puts the parts together"
    )

    vlm = parser.add_argument_group(
        "--method vlm",
        "The replies are kept in OUT's name with .replies.jsonl as they come: the same command again asks only for "
        "those that lack. Rows without a usable box go to .rejected.jsonl, with the reason and the reply. Of several "
        "boxes in one reply the first counts.",
    )
    ours = DEFAULTS[VLM]
    vlm.add_argument("--url", help="an OpenAI-compatible endpoint, up to and with /v1")
    vlm.add_argument("--model", help="the model's name there, as Qwen/Qwen2.5-VL-7B-Instruct")
    vlm.add_argument("--key-env", metavar="NAME", help="environment variable with the endpoint's key")
    vlm.add_argument("--concurrency", type=int, metavar="N", help=f"calls at one time (default: {ours['concurrency']})")
    vlm.add_argument(
        "--timeout", type=float, metavar="S", help=f"seconds a call may take (default: {ours['timeout']:g})"
    )
    vlm.add_argument("--max-tokens", type=int, metavar="N", help=f"of a reply (default: {ours['max_tokens']})")
    vlm.add_argument(
        "--longest-edge",
        type=int,
        metavar="PIXELS",
        help="what larger pictures are shrunk to (default: as they are, within Qwen2.5-VL's 12.8 megapixels). Pixel "
        "coordinates are wrong where the server shrinks pictures further: its square must not pass its max_pixels",
    )
    vlm.add_argument(
        "--coordinates",
        choices=(PIXELS, THOUSANDTHS, FRACTION),
        help="what the model's numbers are: pixels of the picture it sees, as Qwen2.5-VL's (default; pictures are "
        "sent with sides in multiples of 28, which it sees as they are), thousandths of each side, as Qwen3-VL's, "
        "or fractions, 0 to 1",
    )
    vlm.add_argument(
        "--asked-as",
        choices=(PIXELS, THOUSANDTHS, FRACTION),
        help="the --coordinates of an earlier run, whose kept replies are to be read anew by other --coordinates: "
        "pictures are the same, so nothing that was answered is asked again (default: as --coordinates)",
    )
    vlm.add_argument(
        "--grow",
        choices=(PERCENTILE, TABLE3, NONE),
        help="45, 10, 4, 2 or 1 times the area by the percentile of a box's own (default) or by the areas that the "
        "paper's Table 3 prints, or boxes as they are",
    )

    both = parser.add_argument_group("--method grid and --method best-of")
    ours = DEFAULTS[GRID]
    both.add_argument(
        "--base",
        type=Path,
        metavar="PATH",
        help=f"checkpoint folder of the reward model (default of {BEST_OF}: the base of --cropper)",
    )
    both.add_argument("--resolution", type=int, metavar="L", help="longest edge it sees (default: one tile)")
    both.add_argument("--seed", type=int, help=f"of the noise on the boxes, and of draws (default: {ours['seed']})")
    both.add_argument("--device", help=f"as cuda:1 (default: {ours['device']})")

    grid = parser.add_argument_group("--method grid")
    grid.add_argument("--n", type=int, metavar="N", help=f"cells a side (default: {ours['n']})")
    grid.add_argument(
        "--most-cells", type=int, metavar="M", help="cells a side that a rectangle has at most (default: all N)"
    )

    best = parser.add_argument_group(
        "--method best-of",
        "Rows go to .rejected.jsonl where no box is valid, or none helps more than the full image in the crop's place.",
    )
    ours = DEFAULTS[BEST_OF]
    best.add_argument("--cropper", type=Path, metavar="PATH", help="adapter or checkpoint that draws the boxes")
    best.add_argument("--draws", type=int, metavar="N", help=f"boxes for each question (default: {ours['draws']})")
    best.add_argument("--temperature", type=float, metavar="T", help=f"(default: {ours['temperature']:g})")
    best.add_argument(
        "--least",
        type=float,
        metavar="LOGP",
        help="log-likelihood of the right answer that the best box must reach, as -1 (default: any)",
    )

    text = parser.add_argument_group(
        "--method text",
        "The text of each picture is kept in OUT's name with .text.jsonl as it is read. Rows whose answer does not "
        "stand in the picture go to .rejected.jsonl.",
    )
    text.add_argument(
        "--labels",
        type=int,
        metavar="N",
        help="also ask for up to N labels that are found on a picture, as 'What is the invoice no?'; their rows have "
        '"kind": "label"',
    )
    text.add_argument("--workers", type=int, metavar="N", help="processes that read pictures (default: one a core)")
    add_room(text)


def add_room(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--room",
        type=float,
        nargs=2,
        metavar=("WIDER", "HEIGHT"),
        help="by how many per cent of the page a box is wider than its line at least, and how high it is at least: a "
        f"model that is often a little off needs more (default: {ROOM[0]:g} {ROOM[1]:g})",
    )


def check_room(room: Sequence[float]) -> None:
    """Raises ValueError for numbers that are no per cent."""
    if not all(0 <= value <= 100 for value in room):
        raise ValueError(f"--room {room[0]:g} {room[1]:g}: give two numbers in per cent, from 0 to 100")


def settle(args: argparse.Namespace) -> None:
    """Fills in the defaults of the chosen method.

    Raises ValueError for an option of another method, a missing option, options that cannot go together, and a number
    that must be above 0.
    """
    for name in dict.fromkeys(name for options in DEFAULTS.values() for name in options):
        if name not in DEFAULTS[args.method] and getattr(args, name) is not None:
            methods = " and ".join(method for method, options in DEFAULTS.items() if name in options)
            raise ValueError(f"{flag(name)} is for --method {methods}; leave it out beside --method {args.method}")
    for name in NEEDED[args.method]:
        if getattr(args, name) is None:
            raise ValueError(f"--method {args.method} needs {flag(name)}")
    for name, default in DEFAULTS[args.method].items():
        if getattr(args, name) is None:
            setattr(args, name, default)
    if args.shard is not None:
        args.shard = parse_shard(args.shard)
        if args.method == VLM and args.grow == PERCENTILE:
            raise ValueError(
                f"--shard needs --grow {NONE} or {TABLE3}, because boxes grow by the percentiles of the whole set; "
                "grow them after `data merge` with `data expand`"
            )
    if args.method == VLM:
        args.asked_as = args.asked_as or args.coordinates
    if args.method == TEXT:
        check_room(args.room)
    check_positive(args, [name for name in POSITIVE if name in DEFAULTS[args.method]])
