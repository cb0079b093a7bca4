"""The reward VLM: how well a frozen model answers from the full image and a crop (paper, Section 3, Eq. 2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from PIL import Image
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import END_OF_UTTERANCE, answer_text, target_prompt, to_pixels
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import Completions, log_probs, prefill, sample
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid

WHOLE: Box = (0, 0, 100, 100)


@dataclass(frozen=True)
class Example:
    """A question about an image, and the answers that people gave."""

    image: Image.Image
    question: str
    answers: Sequence[str]
    source: str = "page"
    """The dataset, which decides how answers are measured"""
    _cut: dict[tuple[int, int], torch.Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def tiles(self, longest_edge: int, tile: int) -> torch.Tensor:
        """The image's tiles, uint8 `[n, tile, tile, 3]`; kept, as policy and reward VLM often see the same ones."""
        if (longest_edge, tile) not in self._cut:
            self._cut[longest_edge, tile] = torch.tensor(tiles(self.image, longest_edge, tile))
        return self._cut[longest_edge, tile]


def most_common(answers: Sequence[str]) -> str:
    """The most common answer, lower-cased and stripped; of several as common, the first."""
    return Counter(answer.lower().strip() for answer in answers).most_common(1)[0][0]


class RewardModel:
    def __init__(
        self, model: Idefics3ForConditionalGeneration, encoder: PromptEncoder, longest_edge: int, batch_size: int = 64
    ) -> None:
        """`longest_edge` (pixels): what full image and crop are each seen at; `batch_size`: pairs in one pass."""
        self.model, self.encoder, self.longest_edge, self.batch_size = model, encoder, longest_edge, batch_size
        tokenizer = encoder.tokenizer
        self.tile = model.config.vision_config.image_size
        self.end = tokenizer.convert_tokens_to_ids(END_OF_UTTERANCE)
        self.pad = tokenizer.pad_token_id

    @torch.no_grad()
    def log_likelihoods(self, examples: Sequence[Example], boxes: Sequence[Sequence[Box | None]]) -> torch.Tensor:
        """Sums of log p over the tokens of each example's most common answer and the end token, `[B, G]`.

        `boxes`: G a example; where there is none, the full image stands in for the crop, as in the service.
        """
        wanted = [self.answer_ids(example.answers) for example in examples]
        pairs, places = _unique(boxes)
        scores = []
        for rows, prefix in self._prefixes(examples, pairs):
            length = max(len(wanted[row]) for row in rows)
            ids = torch.full((len(rows), length), self.pad, device=self.model.device)
            mask = torch.zeros_like(ids, dtype=torch.bool)
            for place, row in enumerate(rows):
                ids[place, : len(wanted[row])] = torch.tensor(wanted[row], device=ids.device)
                mask[place, : len(wanted[row])] = True
            ended = torch.ones(len(rows), dtype=torch.bool, device=ids.device)
            scores.append(log_probs(self.model, prefix, Completions(ids, mask, ended)).sum(dim=1))
        return torch.cat(scores)[torch.tensor(places, device=self.model.device)]

    @torch.no_grad()
    def answers(
        self, examples: Sequence[Example], boxes: Sequence[Sequence[Box | None]], max_new_tokens: int = 32
    ) -> list[list[str]]:
        """Greedy answers, G a example."""
        nothing = torch.tensor([], dtype=torch.long, device=self.model.device)
        pairs, places = _unique(boxes)
        texts: list[str] = []
        for _, prefix in self._prefixes(examples, pairs):
            made = sample(
                self.model,
                prefix,
                end=self.end,
                pad=self.pad,
                max_new_tokens=max_new_tokens,
                temperature=0,
                suppressed=nothing,
            )
            texts += self.encoder.tokenizer.batch_decode(made.ids, skip_special_tokens=True)
        return [[texts[place].strip() for place in group] for group in places]

    def answer_ids(self, answers: Sequence[str]) -> list[int]:
        """The tokens of the most common answer as the target writes it, and the end token."""
        text = answer_text(most_common(answers))
        return [*self.encoder.tokenizer(text, add_special_tokens=False)["input_ids"], self.end]

    def _prefixes(self, examples: Sequence[Example], pairs: Sequence[tuple[int, Box]]):
        """The prompts of pairs (example, box), prefilled, some rows at a time: (the example of each row, prefix)."""
        full_features = self.encode([e.tiles(self.longest_edge, self.tile) for e in examples])
        for start in range(0, len(pairs), self.batch_size):
            some = pairs[start : start + self.batch_size]
            crops = [examples[row].image.crop(to_pixels(box, *examples[row].image.size)) for row, box in some]
            crop_features = self.encode([torch.tensor(tiles(c, self.longest_edge, self.tile)) for c in crops])
            prompts, features = [], []
            for (row, _), crop, cropped in zip(some, crops, crop_features, strict=True):
                example = examples[row]
                grids = [prompt_grid(image, self.longest_edge, self.tile) for image in (example.image, crop)]
                prompts.append(self.encoder(target_prompt(example.question), grids))
                features += [full_features[row], cropped]
            yield [row for row, _ in some], prefill(self.model, prompts, torch.cat(features), self.pad)

    def encode(self, images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Tiles of several images in one pass -> features of each `[tiles, T, D]`."""
        together = torch.cat(list(images)).to(self.model.device)
        return list(encode_tiles(self.model, together).split([len(image) for image in images]))


def _unique(boxes: Sequence[Sequence[Box | None]]) -> tuple[list[tuple[int, Box]], list[list[int]]]:
    """Each different pair (example, box) once, and which of them each of the G boxes a example is.

    A policy that has learnt draws the same box again and again: one pass scores them all, and exactly alike.
    """
    wanted = [[(row, box or WHOLE) for box in group] for row, group in enumerate(boxes)]
    places = {pair: place for place, pair in enumerate(dict.fromkeys(pair for group in wanted for pair in group))}
    return list(places), [[places[pair] for pair in group] for group in wanted]
