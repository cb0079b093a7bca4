"""Endless training batches drawn from synthetic pages: batch `i` of a seed is always the same.

Pages are drawn while training runs, so no page is seen twice and nothing is stored. Loss and order do not
depend on when a run was broken off and resumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from cropvlm_trainer.boxes import Box, around
from cropvlm_trainer.contract import answer_text, format_box, target_prompt, to_pixels
from cropvlm_trainer.data.synth import dataset, shapes
from cropvlm_trainer.data.synth.page import Page, Question
from cropvlm_trainer.idefics3.forward import Batch, PromptBuilder
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.pretrain.regions import elsewhere, reading_region

QUESTIONS_PER_PAGE = 4
LOOKS = (*shapes.COLORS, *shapes.SHAPES)
"""Words that say how a thing looks from afar."""
POINTING = (
    "Where does it say so?",
    "Where in the image is that?",
    "Which region of the image says so?",
    "Give the box of the answer.",
    "Find the place that would answer this question.",
    "Locate the answer in the image.",
)
"""How a base of ours is asked to point; a cropper is asked the contract's, which no base is taught."""


def pointing_prompt(question: str, wording: int = 0) -> str:
    """The text after the image by which a base of ours is taught to point."""
    return f"{question.capitalize()}\n{POINTING[wording]}"


def crop_tile(page: Page, box: Box, tile: int) -> np.ndarray:
    """The crop as the service cuts and shrinks it: whole per cents, then whole pixels, then one tile."""
    return tiles(page.image.crop(to_pixels(box, *page.image.size)), tile, tile)[0]


def reading_batch(
    builder: PromptBuilder, tile: int, seed: int, index: int, pages: int, width: float, astray: float = 0.0
) -> Batch:
    """Questions for the target: mostly full and crop, some crops alone, some full images alone.

    `astray`: share of the crops that lie anywhere, so that the model learns not to be sure of what it cannot see.
    """
    rng = Random(f"layout/{seed}/{index}")
    crop_alone = 0.9 if width == 0 else 0.25
    layout = rng.choices(("crop", "both", "full"), weights=(crop_alone, 0.95 - crop_alone, 0.05))[0]
    views: list[np.ndarray] = []
    image_index, rows = [], []
    for page, questions, page_rng in _pages(seed, index, pages):
        if layout != "crop":
            views.append(tiles(page.image, tile, tile)[0])
        full = len(views) - 1
        for question in questions:
            slots = [full] if layout != "crop" else []
            if layout != "full":
                answer = page.to_percent(question.answer_rect)
                region = reading_region(page_rng, answer, page.to_percent(question.evidence_rect), width)
                if astray and page_rng.random() < astray:
                    region = elsewhere(page_rng, region)
                views.append(crop_tile(page, around(region), tile))
                slots.append(len(views) - 1)
            image_index.append(slots)
            rows.append(builder.encode(len(slots), target_prompt(question.text), answer_text(question.answer)))
    return _batch(builder, views, image_index, rows)


def pointing_batch(
    builder: PromptBuilder,
    tile: int,
    seed: int,
    index: int,
    pages: int,
    weights: Mapping[str, float] = dataset.WEIGHTS,
    most_shapes: int = shapes.MAX_SHAPES,
    wordings: int = 1,
) -> Batch:
    """Questions for the base: one view of the page, the box of the evidence as the answer; with looks and names.

    A page of shapes has one to `most_shapes` of them. `wordings`: how many of `POINTING` the prompts are drawn from.
    """
    views: list[np.ndarray] = []
    image_index, rows, names = [], [], []
    side = round(builder.tokens_per_tile**0.5)
    looks = torch.zeros(pages, side * side, len(LOOKS))
    for number, (page, questions, page_rng) in enumerate(_pages(seed, index, pages, weights, most_shapes)):
        views.append(tiles(page.image, tile, tile)[0])
        for question in page.questions:
            if question.looks:
                looks[number, _cell(page, question, side), [LOOKS.index(name) for name in question.names]] = 1
        for question in questions:
            box = around(page.to_percent(question.evidence_rect))
            image_index.append([number])
            wording = page_rng.randrange(wordings)
            rows.append(builder.encode(1, pointing_prompt(question.text, wording), format_box(box)))
            names.append([builder.word(name) for name in question.names])
    batch = _batch(builder, views, image_index, rows)
    batch.looks, batch.names = looks, torch.tensor(names)
    return batch


def _cell(page: Page, question: Question, side: int) -> int:
    """The image token in whose cell the thing above the answer has its centre."""
    x1, y1, x2, _ = page.to_percent(question.evidence_rect)
    bottom = page.to_percent(question.answer_rect)[1]
    return int((y1 + bottom) / 200 * side) * side + int((x1 + x2) / 200 * side)


def _pages(
    seed: int,
    index: int,
    pages: int,
    weights: Mapping[str, float] = dataset.WEIGHTS,
    most_shapes: int = shapes.MAX_SHAPES,
) -> Iterator[tuple[Page, list[Question], Random]]:
    for number in range(index * pages, (index + 1) * pages):
        most = (
            most_shapes if most_shapes == shapes.MAX_SHAPES else Random(f"most/{seed}/{number}").randint(1, most_shapes)
        )
        page, rng = dataset.make_page(seed, number, weights=weights, max_shapes=most)
        yield page, page.questions[:QUESTIONS_PER_PAGE], rng


def _batch(builder: PromptBuilder, views: list[np.ndarray], image_index: list[list[int]], rows: list) -> Batch:
    input_ids, labels = builder.collate(rows)
    return Batch(torch.from_numpy(np.stack(views)), torch.tensor(image_index), input_ids, labels)


class _Stream(IterableDataset):
    def __init__(self, make: Callable[[int], Batch], start: int, stop: int) -> None:
        self.make, self.start, self.stop = make, start, stop

    def __iter__(self) -> Iterator[Batch]:
        for index in range(self.start, self.stop):
            yield self.make(index)


def stream(make: Callable[[int], Batch], start: int, stop: int) -> DataLoader:
    """Batches `start..stop-1`, made in one process beside the training one."""
    return DataLoader(
        _Stream(make, start, stop),
        batch_size=None,
        num_workers=1,
        prefetch_factor=8,
        multiprocessing_context="fork",
    )
