"""The options of `cropvlm-train eval`, and their checks. This module imports nothing slow, since --help needs it."""

from __future__ import annotations

import argparse
from pathlib import Path

from cropvlm_trainer.attention.maps import METHODS
from cropvlm_trainer.chat.endpoint import Endpoint
from cropvlm_trainer.options import check_positive, flag

CHECKPOINT_TOKENS = 16
"""Enough for the mini models' answers; answers about documents are longer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.jsonl and images/")
    parser.add_argument("--target", type=Path, help="checkpoint folder of the target VLM")
    parser.add_argument("--target-url", help="instead: an OpenAI-compatible endpoint, up to and with /v1")
    parser.add_argument("--target-model", help="the model's name at --target-url")
    parser.add_argument("--target-key-env", metavar="NAME", help="environment variable with the endpoint's key")
    parser.add_argument(
        "--target-concurrency", type=int, metavar="N", help=f"calls at one time, default {Endpoint.concurrency}"
    )
    parser.add_argument(
        "--target-timeout", type=float, metavar="S", help=f"seconds one call may take, default {Endpoint.timeout:g}"
    )
    parser.add_argument(
        "--target-resolution",
        type=int,
        metavar="L",
        help="longest edge of full image and crop in pixels: of a checkpoint a multiple of its tile (default one "
        "tile), of an endpoint what larger pictures are shrunk to (default as they are)",
    )
    parser.add_argument(
        "--max-tokens",
        type=int,
        metavar="N",
        help=f"of an answer, default {CHECKPOINT_TOKENS} from a checkpoint, {Endpoint.max_tokens} from an endpoint",
    )
    parser.add_argument(
        "--cropper",
        type=Path,
        help=f"checkpoint folder of the cropper; or {' or '.join(METHODS)} (ViCrop): boxes from where the target's own "
        "checkpoint looks",
    )
    parser.add_argument(
        "--attention-checkpoint",
        type=Path,
        metavar="DIR",
        help=f"with {' and '.join(METHODS)}: the checkpoint of which the attention is taken, default the target's",
    )
    parser.add_argument(
        "--attention-layers",
        type=int,
        nargs="+",
        metavar="LAYER",
        help=f"with {' and '.join(METHODS)}: the layers, from 0, whose mean is taken, default the one in the middle",
    )
    parser.add_argument(
        "--cropper-resolution",
        type=int,
        metavar="L",
        help="longest edge that the cropper sees, a multiple of its tile; default one tile",
    )
    parser.add_argument(
        "--cropper-request",
        metavar="TEXT",
        help="what follows the question in the cropper's prompt, for a base that was not taught the cropper's own",
    )
    parser.add_argument(
        "--cropper-margin",
        action="store_true",
        help="answer with the cropper's boxes as they are, and also grown by the margin that true boxes get",
    )
    parser.add_argument(
        "--whole-page", action="store_true", help="also answer with the whole image in place of the crop"
    )
    parser.add_argument(
        "--cropper-only",
        action="store_true",
        help="leave out what does not depend on the cropper: the full image, the true and the random boxes",
    )
    parser.add_argument(
        "--crops-alone",
        action="store_true",
        help="answer from every crop without the full image too (paper, Appendix D), not from the cropper's only",
    )
    parser.add_argument(
        "--expand",
        type=float,
        nargs="+",
        default=[],
        metavar="FACTOR",
        help="also crop the rows' own boxes at these multiples of their area (paper, Appendix G)",
    )
    parser.add_argument("--limit", type=int, help="only the first rows")
    parser.add_argument("--seed", type=int, default=0, help="of the random boxes")
    parser.add_argument(
        "--out",
        type=Path,
        help="JSON file for the scores; beside it go the tables (.md), the plot of --expand (.expand.png) and an "
        "endpoint's answers (.answers.jsonl), which a run that starts again does not ask for again",
    )


def check(args: argparse.Namespace) -> None:
    """Raises ValueError where options contradict or lack each other, or have a value that they cannot have."""
    if (args.target is None) == (args.target_url is None):
        raise ValueError("give either --target, a checkpoint, or --target-url, an endpoint")
    if args.target_url and not args.target_model:
        raise ValueError("--target-url needs --target-model, the model's name there")
    for name in ("target_model", "target_key_env", "target_concurrency", "target_timeout"):
        if args.target and getattr(args, name) is not None:
            raise ValueError(f"{flag(name)} is for --target-url; leave it out beside --target")
    check_positive(
        args, ("target_resolution", "cropper_resolution", "max_tokens", "target_concurrency", "target_timeout")
    )
    if args.cropper_only and not args.cropper:
        raise ValueError("--cropper-only needs --cropper")
    if args.cropper_only and args.expand:
        raise ValueError("--expand grows the rows' own boxes, which --cropper-only leaves out; give one of them")
    if args.cropper_margin and not args.cropper:
        raise ValueError("--cropper-margin needs --cropper")
    if args.cropper_resolution is not None and not args.cropper:
        raise ValueError("--cropper-resolution needs --cropper")
    if args.cropper_request is not None and (not args.cropper or attention_method(args)):
        raise ValueError("--cropper-request needs --cropper, the folder of a checkpoint")
    if attention_method(args) is None:
        for name in ("attention_checkpoint", "attention_layers"):
            if getattr(args, name) is not None:
                raise ValueError(f"{flag(name)} is for --cropper {' and '.join(METHODS)}; leave it out")
    elif not (args.attention_checkpoint or args.target):
        raise ValueError(f"--cropper {args.cropper} looks into a checkpoint; name one with --attention-checkpoint")
    if args.out and args.out.suffix in (".md", ".png", ".jsonl"):
        raise ValueError(f"--out {args.out} is for JSON; name it .json, the other files go beside it")
    if args.expand and not args.out:
        raise ValueError("--expand draws a plot beside --out; give --out")


def attention_method(args: argparse.Namespace) -> str | None:
    """Returns the method of `METHODS` that `--cropper` names; None where it is a checkpoint or not given."""
    return str(args.cropper) if args.cropper and str(args.cropper) in METHODS else None


def describe(args: argparse.Namespace) -> dict:
    """Returns the options that the scores depend on, to be stored with the scores; keys are not among them."""
    names = ("data", "target", "target_url", "target_model", "target_resolution", "cropper", "cropper_resolution")
    more = ("cropper_request", "attention_checkpoint", "attention_layers", "max_tokens", "limit", "seed")
    given = {name: getattr(args, name) for name in (*names, *more)}
    return {name: str(v) if isinstance(v, Path) else v for name, v in given.items() if v is not None}
