"""`cropvlm-train full-sft`: trains all weights of a small cropper on seed boxes of real pictures.

A model of two million parameters learns little from an adapter of a few thousand; here every weight is trained, by the
loop and the optimizers of `pretrain`. Three things make it learn from hundreds of pictures: all questions of a picture
stand behind one encoded picture, each view of a picture is drawn anew, and an auxiliary loss has each image token say
which words lie in it.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import torch

from cropvlm_trainer.full_sft.base import base_files, begin
from cropvlm_trainer.full_sft.config import FullSftConfig, FullSftRecipe
from cropvlm_trainer.full_sft.data import PageBatches, classes_of, read_sets
from cropvlm_trainer.full_sft.dev import BoxFinder, coverage
from cropvlm_trainer.full_sft.losses import BoxLoss, SeeingHead
from cropvlm_trainer.full_sft.sequence import QuestionPacker
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.model import pick_device
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain.loop import steps_taken
from cropvlm_trainer.pretrain.loop import train as run_loop
from cropvlm_trainer.rows import check_images, read_rows
from cropvlm_trainer.training.allocator import keep_freed_memory
from cropvlm_trainer.training.dev import BEST, KeptWeights
from cropvlm_trainer.training.identity import contents

LAST = "checkpoint"
"""The folder, within the run folder, of the last step's checkpoint; the best one on `dev` is in `BEST`."""


def train(config: FullSftConfig, device_name: str = "auto", stop_at: int | None = None) -> None:
    """Trains from the start, or goes on with what `config.out` holds, up to step `stop_at` (None: all steps).

    Leaves in `config.out`: `log.jsonl`, `state.pt`, `checkpoint/` and, with `dev`, `best/`.
    Raises ValueError for settings that cannot go together and a folder that holds another run, and FileNotFoundError
    where the base, a data set or a picture is missing. SIGTERM ends the run after the step in progress, with its state
    saved and `checkpoint/` as it was.
    """
    keep_freed_memory()
    sets, words, left_out = read_sets(config.data, config.texts)
    for manifest, count in zip(config.data, left_out, strict=True):
        if count:
            print(f"{count} rows of {manifest} left out: no area in whole per cents", file=sys.stderr)
    dev = _dev_rows(config.dev) if config.dev else []
    model, shape, tokenizer = begin(config)
    builder = PromptBuilder(tokenizer, shape.tokens_per_tile)
    packer, classes = QuestionPacker(builder), classes_of(words)
    torch.manual_seed(config.seed)
    head = SeeingHead(shape.text_width, classes)
    find = BoxFinder(model, packer, tokenizer, builder.pad, shape.tile)
    batches = PageBatches(
        sets,
        packer,
        shape.tile,
        shape.tokens_per_tile,
        classes,
        seed=config.seed,
        batch=config.batch,
        labels=config.labels,
        augment=config.augment,
    )
    recipe = FullSftRecipe(
        steps=config.steps,
        learning_rate=config.learning_rate,
        matrix_learning_rate=config.matrix_learning_rate,
        seed=config.seed,
        pages=config.batch,
        warmup=config.warmup,
        save_every=config.save_every,
        tile=config.tile,
        patch=config.patch,
        labels=config.labels,
        augment=config.augment,
        seeing=config.seeing,
        shape=asdict(config.shape) if config.shape else None,
        base=str(config.base),
        data=", ".join(map(str, config.data)),
        texts=", ".join(map(str, config.texts)),
        dev=str(config.dev or ""),
    )
    files = {"base": base_files(config), "data": config.data, "texts": config.texts}
    files |= {"dev": [config.dev]} if config.dev else {}
    pages = [page for of in sets for page in of.pages]
    questions = sum(len(page.rows) + len(page.labels) for page in pages)
    print(f"{len(pages)} pictures, {questions} questions, {sum(p.numel() for p in model.parameters()):,} parameters")
    stop = min(stop_at or config.steps, config.steps)
    record = {"base": recipe.base, "data": recipe.data, "recipe": "full-sft"}
    record |= {"of_steps": config.steps, "seed": config.seed, "pages_per_step": config.batch}

    def save(folder: Path, more: dict) -> None:
        save_checkpoint(model, shape, tokenizer, folder, {**record, **more})

    kept = KeptWeights(config.out, steps_taken(config.out), save)

    def evaluate(step: int) -> dict[str, float]:
        if not dev:
            return {}
        scores = coverage(dev, find(config.dev.parent, dev))
        kept.keep_if_best(step, scores["dev_hit"], scores)
        return scores

    device = pick_device(device_name)
    loss = BoxLoss(model, head, builder, config.seeing)
    taken = run_loop(
        model, batches, loss, recipe, config.out, device, evaluate, stop, head, config.workers, contents(files)
    )
    if taken < stop:
        return
    save(config.out / LAST, {"steps": stop})
    print(f"checkpoint: {config.out / LAST}" + (f"; the best on dev: {config.out / BEST}" if dev else ""))


def _dev_rows(manifest: Path) -> list[dict]:
    rows = read_rows(manifest, needs=("question", "image", "box"))
    check_images(manifest, rows)
    return rows
