"""What `cropvlm-train eval` does: it scores a cropper and a target on a data set, next to other croppings.

All answers are decoded greedily, without any constraint. The cropper's crop is compared with the true box (grown as
croppers are taught to do), with a random box of the same size elsewhere on the page, with the crop without the full
image, and with the full image without a crop.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

from PIL import Image
from tqdm import tqdm

from cropvlm_trainer.attention.cropper import AttentionCropper
from cropvlm_trainer.boxes import WHOLE, Box, Rect
from cropvlm_trainer.chat.messages import Prompt
from cropvlm_trainer.contract import CROPPER_REQUEST, cropper_prompt, parse_box, target_prompt
from cropvlm_trainer.evaluation import arguments
from cropvlm_trainer.evaluation.answers import Checkpoint, make_target
from cropvlm_trainer.evaluation.croppings import (
    Cropping,
    expanded_croppings,
    expanded_name,
    reference_croppings,
    with_margin,
)
from cropvlm_trainer.evaluation.plot import draw_expansion
from cropvlm_trainer.evaluation.report import held_out, markdown
from cropvlm_trainer.evaluation.rows import scored_rows
from cropvlm_trainer.evaluation.scores import AVERAGE
from cropvlm_trainer.files import write_json
from cropvlm_trainer.idefics3.image_processing import crop
from cropvlm_trainer.metrics.own_measure import asked_question
from cropvlm_trainer.pictures import open_image
from cropvlm_trainer.rows import DATASET, check_images

BOX_TOKENS = 24
"""Tokens that a cropper's answer may have; the longest box, ` [100, 100, 100, 100].`, has 21 with the end token."""


def evaluate(args: argparse.Namespace) -> None:
    """Prints the tables, and writes what `args.out` names.

    Raises FileNotFoundError for missing files, ValueError for options and rows that cannot be used.
    """
    arguments.check(args)
    rows = scored_rows(args.data, args.limit)
    check_images(args.data / DATASET, rows)
    croppings: dict[str, Cropping] = {}
    if not args.cropper_only and all(row.get("box") for row in rows):
        croppings |= reference_croppings(rows, args.seed) | expanded_croppings(rows, args.expand)
    elif args.expand:
        raise ValueError("--expand grows the rows' own boxes, but some rows have none; leave it out")
    if args.whole_page:
        croppings["whole page"] = [WHOLE] * len(rows)
    found = None
    if args.cropper:
        croppings["cropper"] = found = find_boxes(args, rows)
        if args.cropper_margin:
            croppings["cropper with margin"] = with_margin(found)
    answers = ask(args, rows, croppings)
    report = {**held_out(rows, answers, found), "options": arguments.describe(args)}
    tables = markdown(report, rows)
    print(tables)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        write_json(args.out, {"held_out": report})
        args.out.with_suffix(".md").write_text(tables + "\n", encoding="utf-8")
        if args.expand:
            plot(args, report)


def find_boxes(args: argparse.Namespace, rows: Sequence[dict]) -> list[Box | None]:
    """Returns the cropper's boxes in per cent, None where its answer is not a valid box."""
    method = arguments.attention_method(args)
    if method:
        checkpoint = args.attention_checkpoint or args.target
        looking = AttentionCropper(checkpoint, method, args.cropper_resolution, args.attention_layers or ())
        asked = [(partial(open_image, args.data / row["image"]), row["question"]) for row in rows]
        return list(tqdm(looking.boxes(asked), total=len(rows), desc=method))
    cropper = Checkpoint(args.cropper, args.cropper_resolution, BOX_TOKENS)
    request = CROPPER_REQUEST if args.cropper_request is None else args.cropper_request
    prompts = [Prompt(cropper_prompt(row["question"], request), partial(pictures, args, row)) for row in rows]
    return [parse_box(text) for text in cropper.answer(prompts, "boxes")]


def ask(args: argparse.Namespace, rows: Sequence[dict], croppings: dict[str, Cropping]) -> dict[str, list[str | None]]:
    """Returns the target's answers by what it sees: "full image", "full image + cropper", and so on."""
    target = make_target(args)
    texts = [target_prompt(asked_question(row)) for row in rows]

    def answers(name: str, views: Sequence) -> list[str | None]:
        return target.answer([Prompt(text, view) for text, view in zip(texts, views, strict=True)], name)

    found = {}
    if not args.cropper_only:
        found["full image"] = answers("full", [partial(pictures, args, row) for row in rows])
    for name, boxes in croppings.items():
        pairs = list(zip(rows, boxes, strict=True))
        views = [partial(pictures, args, row, box, "both") for row, box in pairs]
        found[f"full image + {name}"] = answers(name, views)
        if name == "cropper" or args.crops_alone:
            views = [partial(pictures, args, row, box, "crop") for row, box in pairs]
            found[f"{name}'s crop alone"] = answers(f"{name} alone", views)
    return found


def pictures(args: argparse.Namespace, row: dict, box: Rect | None = None, which: str = "full") -> list[Image.Image]:
    """Returns the row's image ("full"), its crop ("crop"), or the image and then the crop ("both").

    `box` is in per cent; without one, the crop is the whole image.
    """
    image = open_image(args.data / row["image"])
    if which == "full":
        return [image]
    cropped = crop(image, box)
    return [cropped] if which == "crop" else [image, cropped]


def plot(args: argparse.Namespace, report: dict) -> None:
    """Draws the average of the data sets' own measures over the factors of `--expand` into a PNG beside `--out`."""
    scores = {name: row[AVERAGE] for name, row in report["own_measure"].items()}
    by_factor = {factor: scores[f"full image + {expanded_name(factor)}"] for factor in args.expand}
    sources = [name for name in next(iter(report["own_measure"].values())) if name != AVERAGE]
    draw_expansion(
        args.out.with_suffix(".expand.png"), by_factor, scores["full image"], f"own measure ({', '.join(sources)})"
    )
