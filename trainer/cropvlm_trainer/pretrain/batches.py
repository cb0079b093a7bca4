"""Training batches of synthetic pages, as many as a run needs: batch `index` of a seed is always the same.

Pages are drawn while the training runs, so that no page is seen twice and nothing is stored. A run that was broken off
and resumed gets the batches that an unbroken one gets.

There are two tasks: to read (answer a question from the full image and a crop, as a target does) and to point (answer
with the box of the evidence, as a cropper does).
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from random import Random

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from cropvlm_trainer.boxes import Box, around
from cropvlm_trainer.contract import answer_text, format_box, target_prompt
from cropvlm_trainer.data.synth import dataset, shapes
from cropvlm_trainer.data.synth.page import Page, Question
from cropvlm_trainer.idefics3.forward import Batch
from cropvlm_trainer.idefics3.image_processing import crop, tiles
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain.regions import elsewhere, reading_region

QUESTIONS_PER_PAGE = 4
APPEARANCE_WORDS = (*shapes.COLORS, *shapes.SHAPES)
"""Words that say how a thing looks: its colour and its shape."""
POINTING_REQUESTS = (
    "Where does it say so?",
    "Where in the image is that?",
    "Which region of the image says so?",
    "Give the box of the answer.",
    "Find the place that would answer this question.",
    "Locate the answer in the image.",
)
"""What follows the question when a base is asked to point. A cropper is asked by `contract.cropper_prompt`,
which bases are not taught."""


def pointing_prompt(question: str, wording: int = 0) -> str:
    """The text after the image by which a base is taught to point; `wording` is an index of `POINTING_REQUESTS`."""
    return f"{question.capitalize()}\n{POINTING_REQUESTS[wording]}"


def crop_tile(page: Page, box: Box, tile: int) -> np.ndarray:
    """The crop as the service cuts and resizes it, uint8 `[tile, tile, 3]`; `tile` in pixels."""
    return tiles(crop(page.image, box), tile, tile)[0]


def reading_batch(
    builder: PromptBuilder, tile: int, seed: int, index: int, pages: int, width: float, astray: float = 0.0
) -> Batch:
    """Draws a batch of questions to read: most with the full image and a crop, some with one of the two alone.

    `tile` in pixels; `pages`: how many, each with up to `QUESTIONS_PER_PAGE` questions; `width`: of the crops, as
    `reading_region` takes it; `astray`: the share of the crops that lie anywhere on the page, so that the model learns
    not to be sure of what it cannot see.
    """
    rng = Random(f"layout/{seed}/{index}")
    crop_alone = 0.9 if width == 0 else 0.25
    layout = rng.choices(("crop", "both", "full"), weights=(crop_alone, 0.95 - crop_alone, 0.05))[0]
    views: list[np.ndarray] = []
    image_index, sequences = [], []
    for page, questions, page_rng in drawn_pages(seed, index, pages):
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
            sequences.append(builder.encode(len(slots), target_prompt(question.text), answer_text(question.answer)))
    return to_batch(builder, views, image_index, sequences)


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
    """Draws a batch of questions to point at: the full image, and the box of the evidence as the answer.

    The batch has `cell_words` and `named_words` for the auxiliary losses. `tile` in pixels; `pages`: how many;
    `weights`: how often a page is of each kind; `most_shapes`: a page of shapes has one to so many of them;
    `wordings`: how many of `POINTING_REQUESTS` the prompts are drawn from.
    """
    views: list[np.ndarray] = []
    image_index, sequences, named_words = [], [], []
    side = round(builder.tokens_per_tile**0.5)
    cell_words = torch.zeros(pages, side * side, len(APPEARANCE_WORDS))
    for number, (page, questions, page_rng) in enumerate(drawn_pages(seed, index, pages, weights, most_shapes)):
        views.append(tiles(page.image, tile, tile)[0])
        for question in page.questions:
            if question.looks:
                words = [APPEARANCE_WORDS.index(name) for name in question.names]
                cell_words[number, _cell(page, question, side), words] = 1
        for question in questions:
            box = around(page.to_percent(question.evidence_rect))
            image_index.append([number])
            wording = page_rng.randrange(wordings)
            sequences.append(builder.encode(1, pointing_prompt(question.text, wording), format_box(box)))
            named_words.append([builder.word(name) for name in question.names])
    batch = to_batch(builder, views, image_index, sequences)
    batch.cell_words, batch.named_words = cell_words, torch.tensor(named_words)
    return batch


def _cell(page: Page, question: Question, side: int) -> int:
    """The index of the image token in whose cell a thing has its centre: the evidence without the answer below it.

    A tile has `side` x `side` image tokens.
    """
    x1, y1, x2, _ = page.to_percent(question.evidence_rect)
    bottom = page.to_percent(question.answer_rect)[1]
    return int((y1 + bottom) / 200 * side) * side + int((x1 + x2) / 200 * side)


def drawn_pages(
    seed: int,
    index: int,
    pages: int,
    weights: Mapping[str, float] = dataset.WEIGHTS,
    most_shapes: int = shapes.MAX_SHAPES,
) -> Iterator[tuple[Page, list[Question], Random]]:
    """The pages of a batch, the questions that are asked about each, and its random numbers for what else is drawn."""
    for number in range(index * pages, (index + 1) * pages):
        most = (
            most_shapes if most_shapes == shapes.MAX_SHAPES else Random(f"most/{seed}/{number}").randint(1, most_shapes)
        )
        page, rng = dataset.make_page(seed, number, weights=weights, max_shapes=most)
        yield page, page.questions[:QUESTIONS_PER_PAGE], rng


def to_batch(builder: PromptBuilder, views: list[np.ndarray], image_index: list[list[int]], sequences: list) -> Batch:
    """A batch of these tiles, the tiles in each prompt, and what `PromptBuilder.encode` gave for each question."""
    input_ids, labels = builder.collate(sequences)
    return Batch(torch.from_numpy(np.stack(views)), torch.tensor(image_index), input_ids, labels)


class _Stream(IterableDataset):
    def __init__(self, make: Callable[[int], Batch], start: int, stop: int) -> None:
        self.make, self.start, self.stop = make, start, stop

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        for index in range(self.start + worker.id, self.stop, worker.num_workers):
            yield self.make(index)


def stream(make: Callable[[int], Batch], start: int, stop: int, workers: int = 1) -> DataLoader:
    """The batches `make(start)` to `make(stop - 1)`, in their order, made ahead by processes beside the training.

    SIGTERM ends none of these processes: they end with the iteration.
    """
    return DataLoader(
        _Stream(make, start, stop),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=8,
        multiprocessing_context="fork",
        worker_init_fn=_ignore_sigterm,
    )


def _ignore_sigterm(_worker: int) -> None:
    # A signal to the whole process group must not end this worker before the run has finished its step.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
