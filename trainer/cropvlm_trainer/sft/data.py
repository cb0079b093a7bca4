"""What supervised fine-tuning is taught: a manifest's rows, their order, and their images cut into tiles."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from cropvlm_trainer.contract import END_OF_UTTERANCE, cropper_prompt, format_box, parse_box
from cropvlm_trainer.idefics3.image_processing import load_image, tiles
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid
from cropvlm_trainer.rows import check_images, read_rows

KEPT_BYTES = 512 * 1024**2
"""Of tiles that a process keeps, so that a page with several questions, or of several epochs, is cut once."""


class Lesson(NamedTuple):
    tiles: torch.Tensor
    """uint8 `[n, S, S, 3]`"""
    ids: list[int]
    """prompt and answer"""
    start: int
    """where the answer starts"""


def read_lessons(manifest: Path) -> tuple[list[dict], int]:
    """The rows to teach, and how many were left out since their box, in whole per cents, has no area.

    Raises ValueError, with its number, for a row without question, image or valid box; FileNotFoundError for an image
    that is not there.
    """
    every = read_rows(manifest, needs=("question", "image", "box"))
    check_images(manifest, every)
    # To be taught a box that the model may not answer would be worse than to miss a row.
    rows = [row for row in every if parse_box(format_box(row["box"])) is not None]
    if not rows:
        raise ValueError(
            f"no box of {manifest} has an area in whole per cents; grow them with `cropvlm-train data expand`"
        )
    return rows, len(every) - len(rows)


class Lessons(Dataset):
    """Rows as tiles and ids, made when they are asked for; `longest_edge` and `tile` in pixels."""

    def __init__(
        self, rows: Sequence[dict], folder: Path, encoder: PromptEncoder, longest_edge: int, tile: int
    ) -> None:
        self.rows, self.folder, self.encoder = rows, folder, encoder
        self.longest_edge, self.tile = longest_edge, tile
        self.end = encoder.tokenizer.convert_tokens_to_ids(END_OF_UTTERANCE)
        self._kept: dict[str, tuple[np.ndarray, tuple[int, int]]] = {}
        self._room = KEPT_BYTES

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Lesson:
        row = self.rows[index]
        cut, prompt = self.prompt(row)
        return Lesson(torch.from_numpy(cut), [*prompt, *self.answer(row["box"])], len(prompt))

    def image(self, row: dict) -> Image.Image:
        return load_image(self.folder / row["image"])

    def prompt(self, row: dict) -> tuple[np.ndarray, list[int]]:
        """The image's tiles and the prompt's ids."""
        cut, grid = self._cut(row)
        return cut, self.encoder(cropper_prompt(row["question"]), [grid])

    def answer(self, box: Sequence[float]) -> list[int]:
        return [*self.encoder.tokenizer(format_box(box), add_special_tokens=False)["input_ids"], self.end]

    def _cut(self, row: dict) -> tuple[np.ndarray, tuple[int, int]]:
        name = row["image"]
        if name in self._kept:
            return self._kept[name]
        image = self.image(row)
        # A copy that owns its memory: Pillow's is read-only.
        cut = np.array(tiles(image, self.longest_edge, self.tile)), prompt_grid(image, self.longest_edge, self.tile)
        # What is kept stays: in the random order of an epoch, to drop the oldest would keep next to nothing.
        if cut[0].nbytes <= self._room:
            self._room -= cut[0].nbytes
            self._kept[name] = cut
        return cut
