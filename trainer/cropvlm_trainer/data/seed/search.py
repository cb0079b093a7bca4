"""Which sub-rectangle of a grid helps a reward VLM most to answer (contract, "Seed boxes" 2; paper, Appendix E).

Crops do not depend on the question, so an image with all its crops is encoded once however many questions there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import torch
from PIL import Image

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import target_prompt, to_pixels
from cropvlm_trainer.idefics3.generation import Completions, log_probs, prefill
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import Grid, prompt_grid
from cropvlm_trainer.idefics3.reward_model import RewardModel
from cropvlm_trainer.metrics.exact_and_iou import area

FAKE = "<fake_token_around_image>"


def rectangles(n: int, most_cells: int | None = None) -> list[Box]:
    """The sub-rectangles of an n x n grid over the image, in whole per cents: 225 at n = 5. Small ones first.

    `most_cells`: those that are no longer and no wider, 361 at n = 10 and 2 cells; None for all, as in the paper.
    """
    if not 1 <= n <= 20:
        raise ValueError(f"--n {n}: a grid has 1 to 20 cells a side; the paper has 5")
    lines = [(a, b) for a, b in combinations(range(n + 1), 2) if b - a <= (most_cells or n)]
    spans = [(round(100 * a / n), round(100 * b / n)) for a, b in lines]
    return sorted(((x1, y1, x2, y2) for (y1, y2), (x1, x2) in product(spans, spans)), key=area)


@dataclass
class Views:
    """An image and its crops, cut into tiles: what a search needs of a picture."""

    tiles: torch.Tensor
    """uint8 `[n, S, S, 3]`: the full image's, then each crop's; in one piece, as it goes from process to process"""
    counts: list[int]
    """tiles of the full image, then of each crop"""
    grids: list[Grid]
    """of the full image, then of each crop"""


def cut_views(image: Image.Image, boxes: Sequence[Box], longest_edge: int, tile: int) -> Views:
    crops = [image.crop(to_pixels(box, *image.size)) for box in boxes]
    cut = [tiles(view, longest_edge, tile) for view in (image, *crops)]
    grids = [prompt_grid(view, longest_edge, tile) for view in (image, *crops)]
    return Views(torch.from_numpy(np.concatenate(cut)), [len(some) for some in cut], grids)


class GridSearch:
    def __init__(self, reward: RewardModel) -> None:
        self.reward, self.model = reward, reward.model
        self.fake = reward.encoder.tokenizer.convert_tokens_to_ids(FAKE)

    @torch.no_grad()
    def __call__(self, views: Views, questions: Sequence[tuple[str, Sequence[str]]]) -> torch.Tensor:
        """Sums of log p over the tokens of each question's most common answer and the end token.

        `questions`: (question, answers) about one image. Returns f32 `[questions, crops]`.
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
        """Sums over the last `length` of the tokens that follow the pictures, `[rows]`."""
        rows = len(prefix.last_hidden)
        wanted = torch.tensor(ids, device=self.model.device).expand(rows, -1)
        following = Completions(wanted, torch.ones_like(wanted, dtype=torch.bool), torch.ones(rows, dtype=torch.bool))
        return log_probs(self.model, prefix.repeated(1), following)[:, -length:].sum(dim=1)

    def _asked(self, question: str, answers: Sequence[str]) -> tuple[list[int], int]:
        """The ids of the question, the answer and the end token, and how many of them are not the question's."""
        _, text = self._split(self._prompt(target_prompt(question), (0, 0), (0, 0)))
        answer = self.reward.answer_ids(answers)
        return text + answer, len(answer)

    def _prompt(self, text: str, *grids: Grid) -> list[int]:
        return self.reward.encoder(text, grids)

    def _split(self, ids: list[int]) -> tuple[list[int], list[int]]:
        """A prompt's pictures, and what follows them: a question's own special tokens are plain text to the encoder."""
        end = len(ids) - ids[::-1].index(self.fake)
        return ids[:end], ids[end:]
