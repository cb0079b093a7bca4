"""What `cropvlm-train pretrain` does: it trains a small Idefics3 from scratch to read, and to point.

First the vision encoder alone learns how things look. Then batches to read and batches to point at take turns. Both
start easy and get harder: crops start as the bare answer and widen, pages of shapes start with one shape and fill up.
A model of this size that gets the hardest of both from the start learns nothing.
"""

from __future__ import annotations

import argparse
from functools import partial

import torch

from cropvlm_trainer.contract import answer_text, cropper_prompt, format_box, target_prompt
from cropvlm_trainer.data.synth import dataset, receipt, shapes
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.forward import Batch, answer_loss
from cropvlm_trainer.idefics3.model import Shape, build_model, pick_device
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.idefics3.tokenizer import build_tokenizer
from cropvlm_trainer.options import check_positive
from cropvlm_trainer.pretrain.aux_losses import AuxHeads, pointed, pointing_loss, seeing_loss
from cropvlm_trainer.pretrain.batches import POINTING_REQUESTS, pointing_batch, pointing_prompt, reading_batch
from cropvlm_trainer.pretrain.looking import all_looks
from cropvlm_trainer.pretrain.loop import Recipe, train
from cropvlm_trainer.pretrain.no_boxes import NoBoxes
from cropvlm_trainer.pretrain.regions import crop_width
from cropvlm_trainer.training.allocator import keep_freed_memory

VOCABULARY = 480
SEE_UNTIL = 0.06
"""The share of the run in which the vision encoder learns alone."""
VARIED_FROM, ASTRAY = 0.556, 0.15
"""The share of the run from which prompts to point vary in wording and crops may miss the answer, and how many do."""
SHAPES_CURRICULUM = (
    (0.06, shapes.MAX_SHAPES),
    (0.1, 1),
    (0.17, 2),
    (0.35, 4),
    (0.445, shapes.MAX_SHAPES),
    (0.47, 1),
    (0.53, 2),
    (0.62, 4),
    (1.0, shapes.MAX_SHAPES),
)
"""Pairs of a share of the run and the most shapes that a page has until then: from one to all while x1 is learnt, and
again while y1 is."""
Y1_FROM = 0.39
"""The share of the run from which y1 has the weight of x1. Learning both from the start is slower (LOG.md)."""
POINTING_WEIGHTS = {"shapes": 4, "receipt": 1, "table": 1}
"""How often a page to point at is of each kind. Shapes are the hardest to find: where something stands on a receipt or
in a table follows from the layout."""


def mini_tokenizer(no_boxes: bool = False):
    """The tokenizer of the mini models, from the words of the synthetic pages and the prompts.

    `no_boxes`: that of a base that is asked how things look, and never to point. It too knows how a box is spelt, as
    any tokenizer does.
    """
    prompts = (cropper_prompt, target_prompt) if no_boxes else (cropper_prompt, target_prompt, pointing_prompt)
    corpus = [prompt(question) for question in dataset.all_questions() for prompt in prompts]
    if no_boxes:
        corpus += [text for question, answer in all_looks() for text in (target_prompt(question), answer_text(answer))]
    corpus += [format_box((i, 2, 50, 100)) for i in range(100)]
    corpus += [*receipt.SHOPS, *receipt.GOODS, *shapes.COLORS, *shapes.SHAPES]
    return build_tokenizer(corpus, VOCABULARY)


def task(step: int, steps: int) -> str:
    """What step number `step` (from 0) of a run of `steps` trains: "see", "read" or "point"."""
    if step < SEE_UNTIL * steps:
        return "see"
    return "read" if step % 2 else "point"


def max_shapes(step: int, steps: int) -> int:
    """How many shapes a page of shapes has at most in a step."""
    return next(count for until, count in SHAPES_CURRICULUM if step < until * steps)


def pretrain(args: argparse.Namespace) -> None:
    """Trains as the options say, or goes on with what `args.out` holds.

    SIGTERM ends the run after the step in progress, with its state saved and without a checkpoint.

    Raises as `loop.train`, and ValueError for a number of 0 or less.
    """
    check_positive(args, ("steps", "stop_at", "pages", "save_every", "learning_rate", "matrix_learning_rate"))
    keep_freed_memory()
    shape, tokenizer = Shape(), mini_tokenizer(args.no_boxes)
    model = build_model(shape, tokenizer, args.seed)
    builder = PromptBuilder(tokenizer, shape.tokens_per_tile)
    torch.manual_seed(args.seed)
    aux_heads = AuxHeads(model, builder)
    device = pick_device(args.device)
    read = partial(reading_batch, builder, shape.tile)
    point = partial(pointing_batch, builder, shape.tile, weights=POINTING_WEIGHTS)

    def make(step: int) -> Batch:
        is_varied = step >= VARIED_FROM * args.steps
        if task(step, args.steps) == "read":
            width = crop_width(step, args.steps)
            return read(args.seed, step, args.pages, width=width, astray=ASTRAY if is_varied else 0.0)
        wordings = len(POINTING_REQUESTS) if is_varied else 1
        return point(args.seed, step, 2 * args.pages, most_shapes=max_shapes(step, args.steps), wordings=wordings)

    def loss_of(step: int, batch: Batch):
        match task(step, args.steps):
            case "see":
                return seeing_loss(model, aux_heads, batch)
            case "point":
                return pointing_loss(model, aux_heads, batch, 1 if step < Y1_FROM * args.steps else 2)
            case _:
                loss, right = answer_loss(model, batch)
                return loss, {"reading": loss, "read": right.all(dim=1).float().mean()}

    @torch.no_grad()
    def evaluate(_step: int) -> dict[str, float]:
        """The shares of right answers, by width of the crops, and of boxes with right corners, by kind of page.

        Measured on pages that no run trains on.
        """

        def held_out(batch_of) -> list[tuple[Batch, torch.Tensor]]:
            batches = [batch_of(dataset.HELD_OUT_SEED, index, 16).to(device) for index in range(4)]
            return [(batch, answer_loss(model, batch)[1]) for batch in batches]

        scores = {}
        for width in (0.0, 0.5, 1.0, 2.0):
            shares = [right.all(dim=1).float().mean() for _, right in held_out(partial(read, width=width))]
            scores[f"read_width_{width}"] = (sum(shares) / len(shares)).item()
        for kind in dataset.KINDS:
            pairs = held_out(partial(point, weights={kind: 1}))
            shares = [pointed(right, aux_heads.corners(batch.labels)[1]) for batch, right in pairs]
            scores[f"pointed_{kind}"] = (sum(shares) / len(shares)).item()
        return scores

    if args.no_boxes:
        lessons = NoBoxes(model, aux_heads, builder, shape.tile, args.seed, args.steps, args.pages)
        make, loss_of, evaluate = lessons.make, lessons.loss, lessons.evaluate
    rates = (args.learning_rate, args.matrix_learning_rate)
    recipe = Recipe(args.steps, *rates, args.seed, args.pages, save_every=args.save_every)
    stop = min(args.stop_at or args.steps, args.steps)
    if train(model, make, loss_of, recipe, args.out, device, evaluate, stop, aux_heads) < stop:
        return
    training = {"base": None, "data": "synthetic pages, drawn while training"}
    training |= {"recipe": "pretrain, no boxes" if args.no_boxes else "pretrain"}
    training |= {"steps": stop, "of_steps": args.steps, "seed": args.seed, "pages_per_step": args.pages}
    folder = args.out / ("checkpoint" if stop == args.steps else f"checkpoint-{stop}")
    save_checkpoint(model.cpu(), shape, tokenizer, folder, training)
    print(f"checkpoint: {folder}")
