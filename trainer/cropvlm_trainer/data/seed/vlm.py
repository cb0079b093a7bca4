"""`data seed --method vlm`: boxes from a big VLM behind an OpenAI-compatible endpoint (paper, Section 4.1)."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np

from cropvlm_trainer.boxes import PERCENTILES, Rect, grow
from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.chat.client import EndpointTarget, Failed
from cropvlm_trainer.chat.endpoint import Endpoint, key_from
from cropvlm_trainer.chat.messages import Prompt
from cropvlm_trainer.contract import seed_prompt
from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.expand import factors_by
from cropvlm_trainer.data.seed.arguments import NONE, PIXELS, VLM
from cropvlm_trainer.data.seed.parse import boxes_in, to_percent
from cropvlm_trainer.data.seed.picture import MIN_EDGE, SentPicture
from cropvlm_trainer.data.seed.rows import check_some, seedable_rows, seeded, write_rejected
from cropvlm_trainer.files import to_lines, write_whole
from cropvlm_trainer.metrics.exact_and_iou import area


def seed_vlm(args: argparse.Namespace) -> None:
    """Writes the rows of `args.manifest` that get a box to `args.out`, in order, and the others to a file beside it.

    Raises FileNotFoundError for missing files, and ValueError for options and rows that cannot be used, for an endpoint
    that refuses every question, and where no row gets a box (`check_some`), in which case `args.out` is not written.
    """
    if args.asked_as == PIXELS and args.longest_edge and args.longest_edge < MIN_EDGE:
        raise ValueError(f"--longest-edge {args.longest_edge} is too short for Qwen2.5-VL; give at least {MIN_EDGE}")
    rows = seedable_rows(args.manifest, args.out, shard=args.shard)
    how = (args.coordinates, args.longest_edge, args.asked_as)
    sent = [SentPicture(args.manifest.parent / row["image"], *how) for row in rows]
    prompts = [Prompt(seed_prompt(row["question"]), picture) for row, picture in zip(rows, sent, strict=True)]
    replies = _endpoint(args).ask(prompts, "seed boxes")

    taken, boxes, rejected, several = [], [], [], 0
    for number, (row, picture, reply) in enumerate(zip(rows, sent, replies, strict=True), start=1):
        try:
            box, count = _box(picture, reply)
        except Rejection as why:
            text = None if isinstance(reply, Failed) else reply
            entry = {"row": number, "id": row.get("id"), "reason": why.reason, "detail": str(why), "reply": text}
            rejected.append(entry)
            continue
        several += count > 1
        taken.append(row)
        boxes.append(box)
    rejected_path, reasons = write_rejected(args.out, rejected)
    check_some(
        taken,
        args.shard,
        f"no row got a box ({reasons}); {rejected_path} holds the replies: see that --model is a model that points, "
        "and that --coordinates is how it does (--asked-as reads kept replies by others)",
    )
    factors = factors_by("1" if args.grow == NONE else args.grow, [area(box) for box in boxes])
    done = [
        seeded(row, grow(box, factor), {"method": VLM, "model": args.model, "grown": factor})
        for row, box, factor in zip(taken, boxes, factors, strict=True)
    ]
    write_whole(args.out, to_lines(done))
    print(f"{args.out}: {len(done)} of {len(rows)} rows have a box; {several} replies held more than one")
    if boxes:
        print(_sizes(boxes, factors))
    if rejected:
        print(f"  {len(rejected)} rejected ({reasons}; see {rejected_path})")
    if len(rejected) > len(rows) / 2:
        print(
            f"WARNING: more than half of the rows got no box; read {rejected_path} before you train on the rest. Rows "
            f"without a reply are asked again by the same command once {args.out} is removed",
            file=sys.stderr,
        )


def _endpoint(args: argparse.Namespace) -> EndpointTarget:
    endpoint = Endpoint(
        args.url,
        args.model,
        key_from(args.key_env),
        max_tokens=args.max_tokens,
        concurrency=args.concurrency,
        timeout=args.timeout,
        flags="--",
    )
    cache = AnswerCache(args.out.with_suffix(".replies.jsonl"))
    if cache.count:
        print(f"{cache.count} replies of earlier runs are in {cache.path}")
    return EndpointTarget(endpoint, cache)


def _box(picture: SentPicture, reply: str | Failed) -> tuple[Rect, int]:
    """Returns the first box of a reply in per cent, and how many boxes it has. Raises Rejection for no valid box."""
    if isinstance(reply, Failed):
        raise picture.rejection or Rejection("no reply", str(reply))
    found = boxes_in(reply)
    return to_percent(found[0], picture.span(), picture.size), len(found)


def _sizes(boxes: Sequence[Rect], factors: Sequence[float]) -> str:
    """Words the percentiles of the areas before growth, and how many boxes grew by which factor."""
    at = (*PERCENTILES, 100)
    # An area is in per cent of one side times per cent of the other; a hundredth of it is in per cent of the image.
    percentiles = np.percentile([area(box) / 100 for box in boxes], at)
    sizes = ", ".join(f"{value:.2f} (p{which})" for which, value in zip(at, percentiles, strict=True))
    grown = ", ".join(f"{count} by {factor:g}" for factor, count in sorted(Counter(factors).items(), reverse=True))
    return f"  areas before growth, % of the image: {sizes}\n  grown: {grown}"
