"""Batches of questions about how things look, which the full image alone answers: no crop, no box, no place.

A base that is taught no box learns from them what pointing would have taught it otherwise: to tell, of several things
on a page, the one that a question names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import torch

from cropvlm_trainer.contract import answer_text, target_prompt
from cropvlm_trainer.data.synth import shapes
from cropvlm_trainer.data.synth.page import Page
from cropvlm_trainer.idefics3.forward import Batch
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain.batches import APPEARANCE_WORDS, QUESTIONS_PER_PAGE, drawn_pages, to_batch


def color_question(shape: str) -> str:
    return f"What color is the {shape}?"


def shape_question(color: str) -> str:
    return f"What shape is {color}?"


def all_looks() -> Iterator[tuple[str, str]]:
    """Yields every question that a batch can have, each with every answer that it can have."""
    for color in shapes.COLORS:
        for shape in shapes.SHAPES:
            yield color_question(shape), color
            yield shape_question(color), shape


def looks(page: Page) -> list[tuple[str, str, str]]:
    """Returns the questions about a page of shapes that have one answer: question, the word in it, and the answer."""
    names = [question.names for question in page.questions]
    colors, kinds = Counter(color for color, _ in names), Counter(shape for _, shape in names)
    found = [(color_question(shape), shape, color) for color, shape in names if kinds[shape] == 1]
    return found + [(shape_question(color), color, shape) for color, shape in names if colors[color] == 1]


def looking_batch(
    builder: PromptBuilder, tile: int, seed: int, index: int, pages: int, most_shapes: int = shapes.MAX_SHAPES
) -> Batch:
    """Draws a batch of pages of shapes with up to `QUESTIONS_PER_PAGE` questions each.

    The batch has `page_words` and `named_words` for the auxiliary losses. `tile` in pixels; `pages`: how many;
    `most_shapes`: a page has one to so many of them.
    """
    views, image_index, sequences, named_words = [], [], [], []
    page_words = torch.zeros(pages, len(APPEARANCE_WORDS))
    for number, (page, _, rng) in enumerate(drawn_pages(seed, index, pages, {"shapes": 1}, most_shapes)):
        views.append(tiles(page.image, tile, tile)[0])
        for question in page.questions:
            page_words[number, [APPEARANCE_WORDS.index(name) for name in question.names]] = 1
        asked = looks(page)
        for text, word, answer in _some(rng, asked):
            image_index.append([number])
            sequences.append(builder.encode(1, target_prompt(text), answer_text(answer)))
            named_words.append([builder.word(word)] * 2)
    batch = to_batch(builder, views, image_index, sequences)
    batch.page_words, batch.named_words = page_words, torch.tensor(named_words)
    return batch


def _some(rng: Random, asked: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return rng.sample(asked, min(QUESTIONS_PER_PAGE, len(asked)))
