"""`data seed --method grid`: seed boxes by exhaustive search, without any outside model (paper, Appendix E).

What was found is kept as it comes, so a search that was killed goes on where it stood.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from cropvlm_trainer.boxes import Box, widened
from cropvlm_trainer.chat.answer_cache import KeptAnswers
from cropvlm_trainer.data.seed.rows import seedable_rows, seeded
from cropvlm_trainer.data.seed.search import GridSearch, Views, cut_views, rectangles
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint
from cropvlm_trainer.idefics3.image_processing import load_image
from cropvlm_trainer.idefics3.model import pick_device
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import RewardModel
from cropvlm_trainer.rows import to_lines, write_whole

MOST_WORKERS = 4
"""Processes that cut images; each holds one or two, of 180 MB at 225 crops of 512 pixels, in shared memory."""


def seed_grid(args: argparse.Namespace) -> None:
    """Writes the rows of `--manifest` to `--out`, each with the box that helps most to answer, widened by noise."""
    # Crops are compared by the answers.
    boxes, rows = rectangles(args.n, args.most_cells), seedable_rows(args.manifest, args.out, needs=("answers",))
    search = reward_search(args.base, args.resolution, pick_device(args.device))
    asked = {"weights": weights_sha256(args.base), "resolution": search.reward.longest_edge}
    asked |= {"n": args.n, "most_cells": args.most_cells}
    kept = KeptAnswers(args.out.with_suffix(".kept.jsonl"))
    keys = [row_key(row, asked) for row in rows]
    lacking: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        if kept.get(key) is None:
            lacking.setdefault(rows[number]["image"], []).append(number)
    views = DataLoader(
        _Pictures(args.manifest.parent, list(lacking), boxes, search),
        batch_size=None,
        num_workers=min(MOST_WORKERS, os.cpu_count() or 1),
        prefetch_factor=1,
    )
    with tqdm(total=len(rows), initial=len(rows) - sum(map(len, lacking.values())), desc="grid") as bar:
        for picture, numbers in zip(views, lacking.values(), strict=True):
            found = search(picture, [(rows[number]["question"], rows[number]["answers"]) for number in numbers])
            for number, likelihoods in zip(numbers, found, strict=True):
                best = int(likelihoods.argmax())
                kept.add(keys[number], json.dumps({"box": boxes[best], "log_likelihood": likelihoods[best].item()}))
            bar.update(len(numbers))
    made = [with_seed(row, json.loads(kept.get(key)), args.n, args.seed) for row, key in zip(rows, keys, strict=True)]
    write_whole(args.out, to_lines(made))
    print(f"{args.out}: {len(made)} rows with boxes")


def row_key(row: dict, asked: dict) -> str:
    """What a kept result is of: the row, the reward VLM's weights and what it was shown."""
    said = {name: row[name] for name in ("image", "question", "answers")}
    return hashlib.sha256(json.dumps({**asked, **said}).encode()).hexdigest()


def with_seed(row: dict, found: dict, n: int, seed: int) -> dict:
    """The row with the rectangle that was found, widened, as its box; `seed`: of the noise."""
    how = {"method": "grid", **found, "log_likelihood": round(found["log_likelihood"], 4)}
    return seeded(row, widened(found["box"], n, Random(f"{seed}/{row['image']}/{row['question']}")), how)


def reward_search(base: Path, longest_edge: int | None, device: torch.device) -> GridSearch:
    """`longest_edge`: of full image and crops; None for one tile."""
    model, processor = load_checkpoint(base)
    tile = model.config.vision_config.image_size
    edge = longest_edge or tile
    if edge % tile:
        raise ValueError(f"--resolution {edge} must be a multiple of the model's tiles, {tile} pixels")
    precision = torch.bfloat16 if device.type == "cuda" else torch.float32
    return GridSearch(RewardModel(model.eval().to(device, precision), PromptEncoder(processor), edge))


def weights_sha256(base: Path) -> str:
    """Of all weight files of a checkpoint, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(base.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


class _Pictures:
    """A set's images, cut for the search; made in processes beside it."""

    def __init__(self, folder: Path, images: Sequence[str], boxes: Sequence[Box], search: GridSearch) -> None:
        self.folder, self.images, self.boxes = folder, images, boxes
        self.edge, self.tile = search.reward.longest_edge, search.reward.tile

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Views:
        return cut_views(load_image(self.folder / self.images[index]), self.boxes, self.edge, self.tile)
