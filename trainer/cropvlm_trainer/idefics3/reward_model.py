"""The reward VLM: how well a frozen model answers from the full image and a crop (paper, Section 3, Eq. 2).

In the shapes: B examples, G boxes for each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch
from PIL import Image
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.boxes import WHOLE, Box
from cropvlm_trainer.contract import answer_text, target_prompt
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import Completions, Prefix, log_probs, prefill, sample
from cropvlm_trainer.idefics3.image_processing import crop, tiles
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid
from cropvlm_trainer.rows import target_votes

MAX_SCORED_TOKENS = 8192
"""Tokens that are scored in one pass, padding included: each takes a row of logits, 200 KB with 49,000 tokens."""

CORNER: Box = (0, 0, 0, 0)
"""Stands for the crop of the image's first 2 x 2 pixels, which no box in per cent names."""

Pair = tuple[int, Box]
"""The index of an example, and a box to crop its image to, or `CORNER`."""


@dataclass(frozen=True)
class Example:
    """A question about an image, and the answers that people gave."""

    image: Image.Image
    question: str
    answers: Sequence[str]
    source: str | None = None
    """name of the data set, which decides how answers are measured"""
    options: Sequence[str] | None = None
    """of a multiple choice question"""
    asked: str | None = None
    """the question as the reward VLM is asked it, where that is not `question`"""
    _tiles: dict[tuple[int, int], torch.Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def tiles(self, longest_edge: int, tile: int) -> torch.Tensor:
        """The image's tiles, uint8 `[n, tile, tile, 3]`. They are kept: policy and reward VLM often need the same."""
        if (longest_edge, tile) not in self._tiles:
            self._tiles[longest_edge, tile] = torch.tensor(tiles(self.image, longest_edge, tile))
        return self._tiles[longest_edge, tile]


def most_common(answers: Sequence[str]) -> str:
    """The most common answer, lower-cased and stripped; the first of those that are equally common.

    Blank answers and "unanswerable" do not count. Raises ValueError where there are no others.
    """
    votes = target_votes(answers)
    if not votes:
        raise ValueError(f"{list(answers)[:10]}: every answer is blank or unanswerable; take the row out")
    return Counter(votes).most_common(1)[0][0]


class RewardModel:
    def __init__(
        self,
        model: Idefics3ForConditionalGeneration,
        encoder: PromptEncoder,
        longest_edge: int,
        batch_size: int = 64,
        workers: int = 0,
    ) -> None:
        """`longest_edge` (pixels): of the full image and of the crop; `batch_size`: pairs of them in one pass.

        `workers`: threads that cut crops into tiles; with 0 the calling thread does it.
        """
        self.map = ThreadPoolExecutor(workers).map if workers else map
        self.model, self.encoder, self.longest_edge, self.batch_size = model, encoder, longest_edge, batch_size
        self.tile = model.config.vision_config.image_size
        self.end, self.pad = encoder.end, encoder.pad

    @torch.no_grad()
    def log_likelihoods(
        self, examples: Sequence[Example], boxes: Sequence[Sequence[Box | None]], corner: bool = False
    ) -> torch.Tensor:
        """Sums of log p over the tokens of each example's most common answer and the end token, f32 `[B, G]`.

        `boxes`: G for each example; where there is none, the full image stands in for the crop, or with `corner` its
        first 2 x 2 pixels.
        """
        answers = [self.answer_ids(example.answers) for example in examples]
        pairs, places = unique_pairs(boxes, CORNER if corner else WHOLE)
        scores = []
        for rows, prefix in self._prefixes(examples, pairs, [len(ids) for ids in answers]):
            length = max(len(answers[row]) for row in rows)
            ids = torch.full((len(rows), length), self.pad, device=self.model.device)
            mask = torch.zeros_like(ids, dtype=torch.bool)
            for place, row in enumerate(rows):
                ids[place, : len(answers[row])] = torch.tensor(answers[row], device=ids.device)
                mask[place, : len(answers[row])] = True
            ended = torch.ones(len(rows), dtype=torch.bool, device=ids.device)
            scores.append(log_probs(self.model, prefix, Completions(ids, mask, ended)).sum(dim=1))
        return torch.cat(scores)[torch.tensor(places, device=self.model.device)]

    @torch.no_grad()
    def answers(
        self,
        examples: Sequence[Example],
        boxes: Sequence[Sequence[Box | None]],
        max_new_tokens: int = 32,
        corner: bool = False,
    ) -> list[list[str]]:
        """The model's own answers by greedy decoding: G texts, stripped, for each of the B examples.

        `boxes` and `corner` as in `log_likelihoods`.
        """
        pairs, places = unique_pairs(boxes, CORNER if corner else WHOLE)
        texts: list[str] = []
        for _, prefix in self._prefixes(examples, pairs):
            completions = sample(
                self.model, prefix, end=self.end, pad=self.pad, max_new_tokens=max_new_tokens, temperature=0
            )
            texts += self.encoder.tokenizer.batch_decode(completions.ids, skip_special_tokens=True)
        return [[texts[place].strip() for place in group] for group in places]

    def answer_ids(self, answers: Sequence[str]) -> list[int]:
        """The tokens of the most common answer as the target writes it, and the end token."""
        return self.encoder.reply(answer_text(most_common(answers)))

    def _prefixes(
        self, examples: Sequence[Example], pairs: Sequence[Pair], lengths: Sequence[int] | None = None
    ) -> Iterator[tuple[list[int], Prefix]]:
        """Prefills all pairs' prompts, a batch at a time: the index of each row's example, and the prefix.

        `lengths`: the tokens of each example that will be scored after the prompt.
        """
        full_features = self.encode([example.tiles(self.longest_edge, self.tile) for example in examples])
        for start, stop in batches_by_tokens([lengths[row] if lengths else 0 for row, _ in pairs], self.batch_size):
            batch = pairs[start:stop]
            crops, crop_tiles = zip(
                *self.map(lambda pair: self._cut(examples[pair[0]].image, pair[1]), batch), strict=True
            )
            crop_features = self.encode(crop_tiles)
            prompts, features = [], []
            for (row, _), cropped, features_of_crop in zip(batch, crops, crop_features, strict=True):
                example = examples[row]
                grids = [prompt_grid(image, self.longest_edge, self.tile) for image in (example.image, cropped)]
                prompts.append(self.encoder(target_prompt(example.asked or example.question), grids))
                features += [full_features[row], features_of_crop]
            yield [row for row, _ in batch], prefill(self.model, prompts, torch.cat(features), self.pad)

    def _cut(self, image: Image.Image, box: Box) -> tuple[Image.Image, torch.Tensor]:
        """The crop of an image, and its tiles, uint8 `[n, S, S, 3]`."""
        view = cropped(image, box)
        return view, torch.tensor(tiles(view, self.longest_edge, self.tile))

    def encode(self, images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Encodes several images' tiles (uint8 `[n, S, S, 3]` each) in one pass -> each one's features `[n, T, D]`."""
        all_tiles = torch.cat(list(images)).to(self.model.device)
        return list(encode_tiles(self.model, all_tiles).split([len(image) for image in images]))


def batches_by_tokens(lengths: Sequence[int], most: int, most_tokens: int | None = None) -> Iterator[tuple[int, int]]:
    """Yields the start and end of batches of sequences with so many tokens each, in their order.

    A batch has at most `most` sequences and, padded to its longest, `most_tokens` (None: `MAX_SCORED_TOKENS`); a longer
    sequence is alone.
    """
    start, longest, limit = 0, 0, MAX_SCORED_TOKENS if most_tokens is None else most_tokens
    for stop, length in enumerate(lengths):
        padded = max(longest, length)
        if stop > start and (stop - start == most or padded * (stop + 1 - start) > limit):
            yield start, stop
            start, padded = stop, length
        longest = padded
    if lengths:
        yield start, len(lengths)


def cropped(image: Image.Image, box: Box) -> Image.Image:
    """The crop of an image to a box, or to `CORNER`."""
    if box == CORNER:
        return image.crop((0, 0, min(2, image.width), min(2, image.height)))
    return crop(image, box)


def unique_pairs(boxes: Sequence[Sequence[Box | None]], default: Box) -> tuple[list[Pair], list[list[int]]]:
    """The different pairs of example and box, and for each example the place in them of its G boxes.

    `default` stands in where there is no box.

    A policy that has learnt draws the same box again and again. It is then scored once, and all get the same score to
    the last bit.
    """
    grouped = [[(row, box or default) for box in group] for row, group in enumerate(boxes)]
    places = {pair: place for place, pair in enumerate(dict.fromkeys(pair for group in grouped for pair in group))}
    return list(places), [[places[pair] for pair in group] for group in grouped]
