"""`data seed --method grid`: seed boxes by exhaustive search with the reward VLM (paper, Appendix E).

Each row's result is kept in a file as soon as it is found, so that a search that was killed goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

from torch.utils.data import DataLoader
from tqdm import tqdm

from cropvlm_trainer.boxes import Box, widened
from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.data.seed.rows import seedable_rows, seeded
from cropvlm_trainer.data.seed.search import GridSearch, Views, cut_views, rectangles
from cropvlm_trainer.files import sha256_of, to_lines, write_whole
from cropvlm_trainer.idefics3.adapter import open_for_inference, weight_files
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import RewardModel
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.rows import target_votes

MAX_WORKERS = 7
"""Processes that cut images into tiles: as many as keep a GPU of 100 TFLOP/s busy with scanned pages
(`results/cutting.md`). Each holds an image's tiles in shared memory, and the search one or two more: 180 MB an image at
225 crops of 512 pixels, which the 2 GB of docker-compose.yml have room for."""


def seed_grid(args: argparse.Namespace) -> None:
    """Writes the rows of `--manifest` to `--out`, each with the box that helps most to answer, widened by noise.

    Raises FileNotFoundError for a checkpoint, data set or image that is missing, and ValueError for rows without an
    image, question or answers, for an `--out` that cannot be written, and for a grid or resolution that is impossible.
    """
    boxes = rectangles(args.n, args.most_cells)
    rows = seedable_rows(args.manifest, args.out, ("answers",), args.shard)
    search = reward_search(args.base, args.resolution, args.device)
    asked = {"weights": sha256_of(weight_files(args.base)), "resolution": search.reward.longest_edge}
    asked |= {"n": args.n, "most_cells": args.most_cells}
    cache = AnswerCache(args.out.with_suffix(".kept.jsonl"))
    keys = [row_key(row, asked) for row in rows]
    lacking: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        if cache.get(key) is None:
            lacking.setdefault(rows[number]["image"], []).append(number)
    views = DataLoader(
        _Pictures(args.manifest.parent, list(lacking), boxes, search),
        batch_size=None,
        num_workers=min(MAX_WORKERS, os.cpu_count() or 1),
        prefetch_factor=1,
    )
    with tqdm(total=len(rows), initial=len(rows) - sum(map(len, lacking.values())), desc="grid") as bar:
        for picture, numbers in zip(views, lacking.values(), strict=True):
            try:
                found = search(picture, [(rows[number]["question"], rows[number]["answers"]) for number in numbers])
            except Exception as error:
                error.add_note(f"in the rows of {rows[numbers[0]]['image']} in {args.manifest}")
                raise
            for number, likelihoods in zip(numbers, found, strict=True):
                best = int(likelihoods.argmax())
                cache.add(keys[number], json.dumps({"box": boxes[best], "log_likelihood": likelihoods[best].item()}))
            bar.update(len(numbers))
    made = [with_seed(row, json.loads(cache.get(key)), args.n, args.seed) for row, key in zip(rows, keys, strict=True)]
    write_whole(args.out, to_lines(made))
    print(f"{args.out}: {len(made)} rows with boxes")


def row_key(row: dict, asked: dict) -> str:
    """Returns the key of a row's result: a hash of the row and of `asked`, the settings that the result depends on."""
    said = {name: row[name] for name in ("image", "question", "answers")}
    votes = target_votes(row["answers"])
    if len(votes) < len(row["answers"]):
        # Other keys than before these votes were left out: what is kept may be for a blank answer.
        said["answers"] = votes
    return hashlib.sha256(json.dumps({**asked, **said}).encode()).hexdigest()


def with_seed(row: dict, found: dict, n: int, seed: int) -> dict:
    """Returns the row with the found rectangle, widened by noise, as its box. `seed` is that of the noise."""
    how = {"method": "grid", **found, "log_likelihood": round(found["log_likelihood"], 4)}
    return seeded(row, widened(found["box"], n, Random(f"{seed}/{row['image']}/{row['question']}")), how)


def reward_search(base: Path, longest_edge: int | None, device: str) -> GridSearch:
    """Loads the reward VLM. `longest_edge` is that of the full image and of each crop, in pixels; None is one tile."""
    model, processor, _, edge = open_for_inference(base, longest_edge, device, "--resolution")
    return GridSearch(RewardModel(model, PromptEncoder(processor), edge))


class _Pictures:
    """The images of a data set, cut into tiles for the search; used in the DataLoader's processes."""

    def __init__(self, folder: Path, images: Sequence[str], boxes: Sequence[Box], search: GridSearch) -> None:
        self.folder, self.images, self.boxes = folder, images, boxes
        self.edge, self.tile = search.reward.longest_edge, search.reward.tile

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Views:
        return cut_views(open_picture(self.folder / self.images[index]), self.boxes, self.edge, self.tile)
