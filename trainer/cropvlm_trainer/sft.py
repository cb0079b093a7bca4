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
from cropvlm_trainer.forward import IGNORE, Batch, PromptBuilder, answer_loss, encode_tiles, hidden_states
from cropvlm_trainer.measures import box_measures
from cropvlm_trainer.model import Shape, load_checkpoint, save_checkpoint
from cropvlm_trainer.run import Recipe, pick_device, train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", type=Path, required=True, help="checkpoint folder of the base model")
    parser.add_argument("--out", type=Path, required=True, help="run folder; an unfinished run in it is resumed")
    parser.add_argument("--steps", type=int, default=2_500)
    parser.add_argument("--pages", type=int, default=16, help="pages a batch, up to four questions each")
    parser.add_argument("--learning-rate", type=float, default=5e-4, help="of embeddings and vectors (AdamW)")
    parser.add_argument("--matrix-learning-rate", type=float, default=1e-3, help="of the layers' matrices (Muon)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto")


def run(args: argparse.Namespace) -> None:
    model, _ = load_checkpoint(args.base)
    tokenizer = Tokenizer.from_file(str(args.base / "tokenizer.json"))
    base_training = json.loads((args.base / "training.json").read_text())
    shape = Shape(**base_training["shape"])
    builder = PromptBuilder(tokenizer, shape.tokens_per_tile)
    device = pick_device(args.device)

    def make(step: int) -> Batch:
        return box_batch(builder, shape.tile, args.seed, step, args.pages)

    def loss_of(step: int, batch: Batch):
        loss, right = answer_loss(model, batch)
        return loss, {"exact": right.all(dim=1).float().mean()}

    @torch.no_grad()
    def evaluate() -> dict[str, float]:
        found, taught = [], []
        for index in range(4):
            batch = box_batch(builder, shape.tile, HELD_OUT_SEED, index, 16).to(device)
            taught += teacher_forced_boxes(tokenizer, batch.labels, batch.labels)
            found += teacher_forced_boxes(tokenizer, batch.labels, predictions(model, batch))
        return box_measures(found, taught)

    recipe = Recipe(
        args.steps, args.learning_rate, args.matrix_learning_rate, args.seed, args.pages, base=str(args.base)
    )
    train(model, make, loss_of, recipe, args.out, device, evaluate)
    training = {
        "base": base_training,
        "data": "true boxes of synthetic pages, drawn while training",
        "recipe": "sft",
    }
    training |= {"steps": args.steps, "seed": args.seed, "pages_per_step": args.pages}
    save_checkpoint(model.cpu(), shape, tokenizer, args.out / "checkpoint", training)
    print(f"checkpoint: {args.out / 'checkpoint'}")


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
