"""Finds the sub-rectangle of a grid that helps a reward VLM most to answer (paper, Appendix E).

Crops do not depend on the question, so an image and its crops are encoded once for all questions about the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import torch
from PIL import Image

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import target_prompt
from cropvlm_trainer.idefics3.generation import Completions, log_probs, prefill
from cropvlm_trainer.idefics3.image_processing import crop, tiles
from cropvlm_trainer.idefics3.prompts import Grid, prompt_grid
from cropvlm_trainer.idefics3.reward_model import RewardModel, batches_by_tokens
from cropvlm_trainer.metrics.exact_and_iou import area

FAKE = "<fake_token_around_image>"


def rectangles(n: int, max_cells: int | None = None) -> list[Box]:
    """Returns the sub-rectangles of an n x n grid over the image in whole per cent, by area; there are 225 at n = 5.

    `max_cells`: leave out those with a side of more cells, which leaves 361 at n = 10 and 2 cells. None, as in the
    paper, leaves out none. Raises ValueError for an `n` that is not in 1..20.
    """
    if not 1 <= n <= 20:
        raise ValueError(f"--n {n}: a grid has 1 to 20 cells a side; the paper has 5")
    lines = [(a, b) for a, b in combinations(range(n + 1), 2) if b - a <= (max_cells or n)]
    spans = [(round(100 * a / n), round(100 * b / n)) for a, b in lines]
    return sorted(((x1, y1, x2, y2) for (y1, y2), (x1, x2) in product(spans, spans)), key=area)


@dataclass
class Views:
    """An image and its crops, cut into tiles."""

    tiles: torch.Tensor
    """uint8 `[n, S, S, 3]`: the full image's tiles, then each crop's; one tensor, because processes hand it over"""
    counts: list[int]
    """the number of tiles of the full image, then of each crop"""
    grids: list[Grid]
    """rows and columns of tiles of the full image, then of each crop"""


def cut_views(image: Image.Image, boxes: Sequence[Box], longest_edge: int, tile: int) -> Views:
    """Cuts an image and its crops (boxes in per cent) into tiles of `tile` pixels at this longest edge in pixels."""
    crops = [crop(image, box) for box in boxes]
    cut = [tiles(view, longest_edge, tile) for view in (image, *crops)]
    grids = [prompt_grid(view, longest_edge, tile) for view in (image, *crops)]
    return Views(torch.from_numpy(np.concatenate(cut)), [len(some) for some in cut], grids)


class GridSearch:
    """Computes how likely a reward VLM is to give the right answer with each crop."""

    def __init__(self, reward: RewardModel) -> None:
        self.reward, self.model = reward, reward.model
        self.fake = reward.encoder.tokenizer.convert_tokens_to_ids(FAKE)

    @torch.no_grad()
    def __call__(self, views: Views, questions: Sequence[tuple[str, Sequence[str]]]) -> torch.Tensor:
        """Returns the sum of log p over the tokens of each question's most common answer and the end token.

        `questions` are pairs of a question about the image and its answers. The result is f32 `[questions, crops]`.
        """
        asked = [self._asked(question, answers) for question, answers in questions]
        full_tiles, *crop_tiles = views.tiles.split(views.counts)
        full = self.reward.encode([full_tiles])[0]
        found = []
        for start in range(0, len(crop_tiles), self.reward.batch_size):
            some = slice(start, start + self.reward.batch_size)
            crops = self.reward.encode(crop_tiles[some])
            prompts = [self._split(self._prompt("", views.grids[0], grid))[0] for grid in views.grids[1:][some]]
            features = torch.cat([part for crop in crops for part in (full, crop)])
            prefix = prefill(self.model, prompts, features, self.reward.pad)
            found.append(torch.stack([self._score(prefix, ids, length) for ids, length in asked]))
        return torch.cat(found, dim=1)

    def _score(self, prefix, ids: list[int], length: int) -> torch.Tensor:
        """Returns the sum of log p over the last `length` tokens of `ids`, which follow the pictures; `[crops]`."""
        count, found = len(prefix.last_hidden), []
        for start, stop in batches_by_tokens([len(ids)] * count, count):
            wanted = torch.tensor(ids, device=self.model.device).expand(stop - start, -1)
            ended = torch.ones(stop - start, dtype=torch.bool)
            following = Completions(wanted, torch.ones_like(wanted, dtype=torch.bool), ended)
            found.append(log_probs(self.model, prefix.part(start, stop), following)[:, -length:].sum(dim=1))
        return torch.cat(found)

    def _asked(self, question: str, answers: Sequence[str]) -> tuple[list[int], int]:
        """Returns the ids of question, answer and end token, and the number of ids of answer and end token alone."""
        _, text = self._split(self._prompt(target_prompt(question), (0, 0), (0, 0)))
        answer = self.reward.answer_ids(answers)
        return text + answer, len(answer)

    def _prompt(self, text: str, *grids: Grid) -> list[int]:
        return self.reward.encoder(text, grids)

    def _split(self, ids: list[int]) -> tuple[list[int], list[int]]:
        """Splits a prompt's ids into those of the pictures and those of the text after them.

        The last FAKE ends the pictures. A question cannot contain that token, because the encoder encodes special
        tokens in a question as plain text.
        """
        end = len(ids) - ids[::-1].index(self.fake)
        return ids[:end], ids[end:]
