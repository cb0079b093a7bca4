"""What supervised fine-tuning learns from: rows with a question, an image and a box, made into tiles and token ids."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset, get_worker_info

from cropvlm_trainer.contract import cropper_prompt, format_box, parse_box
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import Grid, PromptEncoder, prompt_grid
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.rows import check_images, read_rows, with_target

CACHE_BYTES = 512 * 1024**2
"""Of tiles that a process keeps, so that an image with several questions, or of several epochs, is cut once."""


class SftExample(NamedTuple):
    tiles: torch.Tensor
    """uint8 `[n, S, S, 3]`"""
    ids: list[int]
    """of the prompt and the answer"""
    start: int
    """the position in `ids` where the answer starts"""


def read_training_rows(manifest: Path) -> tuple[list[dict], int]:
    """The rows to train on, each with `question`, `image` and `box`, and how many were left out for want of an area.

    These are rows whose box has no area once its sides are whole per cents: the model would learn to answer with an
    invalid box. Rows that have `answers`, but none to learn, are left out too, which is said on stderr.

    Raises ValueError, which names the row by its number, where a field is missing or malformed, and where no row is
    left; FileNotFoundError where an image is missing.
    """
    found = read_rows(manifest, needs=("question", "image", "box"), may_have=("answers",))
    check_images(manifest, found)
    all_rows = with_target(manifest, found)
    rows = [row for row in all_rows if parse_box(format_box(row["box"])) is not None]
    if not rows:
        raise ValueError(
            f"no box of {manifest} has an area in whole per cents; grow them with `cropvlm-train data expand`"
        )
    return rows, len(all_rows) - len(rows)


class SftDataset(Dataset):
    """Rows as examples, each made when it is asked for."""

    def __init__(
        self, rows: Sequence[dict], folder: Path, encoder: PromptEncoder, longest_edge: int, tile: int
    ) -> None:
        """`folder`: what the rows' image paths are relative to. `longest_edge` (of the image) and `tile` in pixels."""
        self.rows, self.folder, self.encoder = rows, folder, encoder
        self.longest_edge, self.tile = longest_edge, tile
        self._cache: dict[str, tuple[np.ndarray, Grid]] = {}
        self._free_bytes = CACHE_BYTES

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> SftExample:
        if get_worker_info() is not None:
            # A signal to the whole process group must not end this worker before the run has finished its step.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        row = self.rows[index]
        image_tiles, prompt = self.prompt(row)
        answer = self.encoder.reply(format_box(row["box"]))
        return SftExample(torch.from_numpy(image_tiles), [*prompt, *answer], len(prompt))

    def image(self, row: dict) -> Image.Image:
        return open_picture(self.folder / row["image"])

    def prompt(self, row: dict) -> tuple[np.ndarray, list[int]]:
        """The row's tiles, uint8 `[n, S, S, 3]`, and the token ids of its prompt."""
        image_tiles, grid = self._tiles_and_grid(row)
        return image_tiles, self.encoder(cropper_prompt(row["question"]), [grid])

    def _tiles_and_grid(self, row: dict) -> tuple[np.ndarray, Grid]:
        name = row["image"]
        if name in self._cache:
            return self._cache[name]
        image = self.image(row)
        # `np.array` copies: torch warns of memory that is read-only, as Pillow's is.
        image_tiles = np.array(tiles(image, self.longest_edge, self.tile))
        entry = image_tiles, prompt_grid(image, self.longest_edge, self.tile)
        # Entries stay once they are in: rows come in random order, where a cache that drops its oldest entry is of
        # next to no use.
        if image_tiles.nbytes <= self._free_bytes:
            self._free_bytes -= image_tiles.nbytes
            self._cache[name] = entry
        return entry
