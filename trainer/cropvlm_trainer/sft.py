"""`cropvlm-train sft`: teaches a base model to answer with a box, from boxes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

from cropvlm_trainer.contract import parse_box
from cropvlm_trainer.data.stream import box_batch
from cropvlm_trainer.data.synth import HELD_OUT_SEED
from cropvlm_trainer.forward import IGNORE, Batch, PromptBuilder, encode_tiles, hidden_states
from cropvlm_trainer.measures import box_measures
from cropvlm_trainer.model import Shape, load_checkpoint, save_checkpoint
from cropvlm_trainer.run import Recipe, pick_device, train

WEIGHTS = {"shapes": 4, "receipt": 1, "table": 1}
"""Shapes are the hardest to find: a place on a receipt or in a table follows from its outline."""
SPARSE, SPARSE_UNTIL, FULL_FROM = 0.4, 0.72, 0.9
"""Pages of shapes hold this share of their shapes until the first share of the run, and all from the second.

Among six shapes a model that cannot tell them apart yet is right too seldom to learn which one was meant.
"""
TOKEN_WEIGHTS = torch.tensor([1.0, 8.0, 2.0, 1.0])
"""` [` and the two digits of x1, then the rest. Which of the objects is meant shows in x1 alone: given x1, the other
numbers follow from the picture without the question."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", type=Path, required=True, help="checkpoint folder of the base model")
    parser.add_argument("--out", type=Path, required=True, help="run folder; an unfinished run in it is resumed")
    parser.add_argument("--steps", type=int, default=6_500)
    parser.add_argument("--pages", type=int, default=16, help="pages a batch, up to four questions each")
    parser.add_argument("--learning-rate", type=float, default=1.4e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto")


def run(args: argparse.Namespace) -> None:
    model, _ = load_checkpoint(args.base)
    tokenizer = Tokenizer.from_file(str(args.base / "tokenizer.json"))
    base_training = json.loads((args.base / "training.json").read_text())
    shape = Shape(**base_training["shape"])
    builder = PromptBuilder(tokenizer, shape.tokens_per_tile)
    device = pick_device(args.device)

    def make(index: int) -> Batch:
        share = crowd(index, args.steps)
        return box_batch(builder, shape.tile, args.seed, index, args.pages, WEIGHTS, share)

    @torch.no_grad()
    def evaluate() -> dict[str, float]:
        found, taught = [], []
        for index in range(4):
            batch = box_batch(builder, shape.tile, HELD_OUT_SEED, index, 16).to(device)
            taught += teacher_forced_boxes(tokenizer, batch.labels, batch.labels)
            found += teacher_forced_boxes(tokenizer, batch.labels, predictions(model, batch))
        return box_measures(found, taught)

    recipe = Recipe(steps=args.steps, learning_rate=args.learning_rate)
    train(model, make, recipe, args.out, device, evaluate, token_weights=TOKEN_WEIGHTS)
    training = {
        "base": base_training,
        "data": "true boxes of synthetic pages, drawn while training",
        "recipe": "sft",
    }
    training |= {"steps": args.steps, "seed": args.seed, "pages_per_step": args.pages}
    save_checkpoint(model.cpu(), shape, tokenizer, args.out / "checkpoint", training)
    print(f"checkpoint: {args.out / 'checkpoint'}")


def crowd(step: int, steps: int) -> float:
    """The share of its shapes that a page keeps at this step."""
    full = (step / steps - SPARSE_UNTIL) / (FULL_FROM - SPARSE_UNTIL)
    return SPARSE + (1 - SPARSE) * min(1.0, max(0.0, full))


def predictions(model, batch: Batch) -> torch.Tensor:
    """The model's argmax at each position, given the right tokens before it."""
    hidden = hidden_states(model, encode_tiles(model, batch.tiles), batch.image_index, batch.input_ids)
    return model.lm_head(hidden).argmax(-1)


def teacher_forced_boxes(tokenizer: Tokenizer, labels: torch.Tensor, ids: torch.Tensor) -> list:
    """The boxes that `ids` spell where `labels` hold an answer; None where they spell none.

    For the log only: a quick view of a run. Scores that are reported come from free decoding.
    """
    boxes = []
    for row, wanted in zip(ids, labels != IGNORE, strict=True):
        boxes.append(parse_box(tokenizer.decode(row[wanted].tolist(), skip_special_tokens=True)))
    return boxes
