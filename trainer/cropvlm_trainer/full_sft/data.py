"""The pages of a run: each picture with its questions and boxes, and the batches drawn from them.

A batch is a function of the seed and of its number, so that a run that was broken off gets the batches of an unbroken
one, whichever process makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image

from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.data.seed.evidence import Line
from cropvlm_trainer.data.seed.ocr import from_text, text_key
from cropvlm_trainer.data.shards import LABEL
from cropvlm_trainer.full_sft.augment import OVERSAMPLE, View
from cropvlm_trainer.full_sft.sequence import Packed, QuestionPacker
from cropvlm_trainer.full_sft.words import PATTERNS, Place, frequent_words, in_cells, places
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.sft.data import read_training_rows

KEPT_BYTES = 2 * 2**30
"""How much memory pictures take that are kept from one epoch to the next; further ones are read anew each time."""


@dataclass(frozen=True)
class Page:
    image: str
    """its path in the data set"""
    rows: tuple[dict, ...]
    """the questions that are asked each time"""
    labels: tuple[dict, ...]
    """questions about labels, of which some are drawn each time"""
    places: tuple[Place, ...]


@dataclass(frozen=True)
class PageSet:
    folder: Path
    """what the pages' image paths are relative to"""
    pages: tuple[Page, ...]


@dataclass
class PageBatch:
    tiles: torch.Tensor
    """uint8 `[B, S, S, 3]`"""
    packed: Packed
    cells: torch.Tensor
    """f32 `[B, T, classes]`: 1 where a word or pattern stands in the cell of an image token"""

    @property
    def input_ids(self) -> torch.Tensor:
        return self.packed.input_ids

    @property
    def labels(self) -> torch.Tensor:
        return self.packed.labels

    def to(self, device: torch.device) -> PageBatch:
        packed = Packed(*(part.to(device) for part in self.packed))
        return PageBatch(self.tiles.to(device), packed, self.cells.to(device))


def read_sets(manifests: Sequence[Path], texts: Sequence[Path]) -> tuple[list[PageSet], list[str], list[int]]:
    """Returns the pages of each data set, the words of the auxiliary loss, and how many rows of each were left out.

    `texts` are the files in which `data seed --method text` keeps what it read, one for each data set; without any
    there are no words.
    Raises what `read_training_rows` raises, and ValueError where a picture's text is not in its file.
    """
    read = [read_training_rows(manifest) for manifest in manifests]
    asked = [_by_image(rows) for rows, _ in read]
    folders = [manifest.parent for manifest in manifests]
    lines = [_lines(*of) for of in zip(folders, asked, texts, strict=True)] if texts else [{} for _ in manifests]
    words = frequent_words(of.values() for of in lines)
    pages = [
        tuple(_page(image, rows, words, of.get(image, ())) for image, rows in images.items())
        for images, of in zip(asked, lines, strict=True)
    ]
    return [PageSet(*of) for of in zip(folders, pages, strict=True)], words, [left_out for _, left_out in read]


def classes_of(words: Sequence[str]) -> int:
    """How many classes the auxiliary loss has: these words and the patterns; 0 without words."""
    return len(words) + len(PATTERNS) if words else 0


class PageBatches:
    """Makes the batches of a run; batch `step` is the same in each process and after each start."""

    def __init__(
        self,
        sets: Sequence[PageSet],
        packer: QuestionPacker,
        tile: int,
        tokens_per_tile: int,
        classes: int,
        *,
        seed: int,
        batch: int,
        labels: int,
        augment: float,
    ) -> None:
        """`batch` pages a step, from the sets in turn; `labels`: how many questions about labels a page gets at most;
        `augment`: strength.

        Raises ValueError for a set of which nothing is asked.
        """
        for of in sets:
            if not any(page.rows or (labels and page.labels) for page in of.pages):
                raise ValueError(
                    f"every question about the pages in {of.folder} is about a label, and labels = {labels} asks none "
                    "of them; set it to 1 or more"
                )
        self.sets, self.packer, self.tile = sets, packer, tile
        self.side, self.classes = round(tokens_per_tile**0.5), classes
        self.seed, self.batch, self.labels, self.augment = seed, batch, labels, augment
        self._kept: dict[Path, Image.Image] = {}
        self._room = KEPT_BYTES

    def __call__(self, step: int) -> PageBatch:
        views, asked, cells = [], [], []
        first = step * self.batch
        number = first
        while len(asked) < self.batch:
            (folder, page), rng = self._page(number), Random(f"{self.seed}/{number}/{step}")
            number += 1
            picture = self._picture(folder / page.image)
            view = View(rng, picture.width / picture.height, self.augment)
            drawn = [*page.rows, *rng.sample(page.labels, min(self.labels, len(page.labels)))]
            moved = [(row["question"], view.box(row["box"])) for row in drawn]
            pairs = [(question, box) for question, box in moved if box is not None]
            if not pairs:
                # Every box left the view. The next page takes this one's place; its own turn is not changed.
                continue
            views.append(view.picture(picture, self.tile))
            asked.append(pairs)
            at = [(kind, *view.point(x, y)) for kind, x, y in page.places]
            cells.append(in_cells(at, self.classes, self.side))
        return PageBatch(torch.from_numpy(np.stack(views)), self.packer.pack(asked), torch.stack(cells))

    def _page(self, number: int) -> tuple[Path, Page]:
        """The page of this number in a sequence without end, and its folder.

        The sets give a page each in turn; each epoch of a set has an order of its own.
        """
        turn, which = divmod(number, len(self.sets))
        folder, pages = self.sets[which].folder, self.sets[which].pages
        epoch, at = divmod(turn, len(pages))
        order = list(range(len(pages)))
        Random(f"{self.seed}/epoch/{epoch}").shuffle(order)
        return folder, pages[order[at]]

    def _picture(self, image: Path) -> Image.Image:
        """The page, no larger than its views are drawn from; kept while there is room."""
        if image in self._kept:
            return self._kept[image]
        picture = open_picture(image)
        largest = int(self.tile * OVERSAMPLE)
        picture.thumbnail((largest, largest), Image.Resampling.LANCZOS)
        size = picture.width * picture.height * len(picture.getbands())
        if size <= self._room:
            self._kept[image], self._room = picture, self._room - size
        return picture


def _by_image(rows: Sequence[dict]) -> dict[str, list[dict]]:
    by_image: dict[str, list[dict]] = {}
    for row in rows:
        by_image.setdefault(row["image"], []).append(row)
    return by_image


def _page(image: str, rows: Sequence[dict], words: Sequence[str], lines: Sequence[Line]) -> Page:
    fields = tuple(row for row in rows if row.get("kind") != LABEL)
    labels = tuple(row for row in rows if row.get("kind") == LABEL)
    return Page(image, fields, labels, tuple(places(words, lines)))


def _lines(folder: Path, images: Sequence[str] | dict, texts: Path) -> dict[str, list[Line]]:
    if not texts.is_file():
        raise FileNotFoundError(f"texts = {texts} is not there; `data seed --method text` writes it beside its --out")
    cache = AnswerCache(texts)
    lines = {}
    for image in images:
        text = cache.get(text_key(folder / image))
        if text is None:
            raise ValueError(
                f"{texts} has no text of {image}; write it with `data seed --method text` of this data set"
            )
        _, lines[image] = from_text(text)
    return lines
