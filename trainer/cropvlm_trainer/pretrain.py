"""`cropvlm-train pretrain`: a small Idefics3 from scratch that answers from full image and crop.

Crops start at the bare answer and widen with time; shown wide crops from the start, a model of this size
learns nothing.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import torch

from cropvlm_trainer.contract import cropper_prompt, format_box, target_prompt
from cropvlm_trainer.data import receipt, shapes, synth
from cropvlm_trainer.data.stream import reading_batch
from cropvlm_trainer.forward import PromptBuilder, answer_loss
from cropvlm_trainer.model import Shape, build_model, save_checkpoint
from cropvlm_trainer.run import Recipe, pick_device, train
from cropvlm_trainer.tokenizer import build_tokenizer

VOCABULARY = 480
TIGHT_UNTIL, WIDE_FROM = 0.16, 0.5
"""Shares of the run: crops are bare answers until the first, fully wide from the second."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="run folder; an unfinished run in it is resumed")
    parser.add_argument("--steps", type=int, default=9_000)
    parser.add_argument("--stop-at", type=int, help="stop after this step, to go on later; leaves checkpoint-STEP")
    parser.add_argument("--pages", type=int, default=8, help="pages a batch, up to four questions each")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")


def mini_tokenizer():
    """The tokenizer of the mini models, from the words of the synthetic pages and the contract's prompts."""
    corpus = [prompt(question) for question in synth.all_questions() for prompt in (cropper_prompt, target_prompt)]
    corpus += [format_box((i, 2, 50, 100)) for i in range(100)]
    corpus += [*receipt.SHOPS, *receipt.GOODS, *shapes.COLORS, *shapes.SHAPES]
    return build_tokenizer(corpus, VOCABULARY)


def crop_width(step: int, steps: int) -> float:
    share = step / steps
    return min(1.0, max(0.0, (share - TIGHT_UNTIL) / (WIDE_FROM - TIGHT_UNTIL)))


def run(args: argparse.Namespace) -> None:
    shape, tokenizer = Shape(), mini_tokenizer()
    model = build_model(shape, tokenizer, args.seed)
    builder = PromptBuilder(tokenizer, shape.tokens_per_tile)
    device = pick_device(args.device)

    def make(index: int):
        width = crop_width(index, args.steps)
        return reading_batch(builder, shape.tile, args.seed, index, args.pages, width)

    held_out = partial(reading_batch, builder, shape.tile, synth.HELD_OUT_SEED, pages=16)

    @torch.no_grad()
    def evaluate() -> dict[str, float]:
        scores = {}
        for width in (0.0, 0.5, 1.0):
            right = [answer_loss(model, held_out(index=i, width=width).to(device))[1] for i in range(4)]
            scores[f"exact_width_{width}"] = torch.cat(right).float().mean().item()
        return scores

    recipe = Recipe(steps=args.steps, learning_rate=args.learning_rate)
    stop = min(args.stop_at or args.steps, args.steps)
    train(model, make, recipe, args.out, device, evaluate, stop)
    training = {"base": None, "data": "synthetic pages, drawn while training", "recipe": "pretrain"}
    training |= {"steps": stop, "of_steps": args.steps, "seed": args.seed, "pages_per_step": args.pages}
    folder = args.out / ("checkpoint" if stop == args.steps else f"checkpoint-{stop}")
    save_checkpoint(model.cpu(), shape, tokenizer, folder, training)
    print(f"checkpoint: {folder}")
