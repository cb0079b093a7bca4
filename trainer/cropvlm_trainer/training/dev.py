"""What a run is scored by while it trains, on rows that it does not train on, and the weights that it keeps.

`last/` has those of the last saved state, `best/` those of the step with the best score.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import distributed
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.files import read_json
from cropvlm_trainer.idefics3.checkpoint import TRAINING
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import decode_boxes, prefill, sample
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.training.processes.ranks import is_distributed, sum_over_ranks

LAST, BEST = "last", "best"
MAX_NEW_TOKENS = 32
BATCH = 8
"""Rows that are scored at once."""


@torch.no_grad()
def greedy_boxes(
    model: Idefics3ForConditionalGeneration,
    encoder: PromptEncoder,
    tiles: Sequence[torch.Tensor],
    prompts: Sequence[Sequence[int]],
) -> list[tuple[str, Box | None]]:
    """The text that the model answers each prompt with by greedy decoding, and its box; no random number is drawn.

    `tiles`: of each prompt, uint8 `[n, S, S, 3]`; `prompts`: token ids.
    """
    features = torch.cat([encode_tiles(model, part.to(model.device)) for part in tiles])
    prefix = prefill(model, prompts, features, encoder.pad)
    how = {"end": encoder.end, "pad": encoder.pad, "max_new_tokens": MAX_NEW_TOKENS, "temperature": 0}
    return decode_boxes(encoder.tokenizer, sample(model, prefix, **how))


def mean_scores(
    rows: Sequence[dict],
    names: Sequence[str],
    score: Callable[[Sequence[dict]], dict[str, float]],
    device: torch.device,
) -> dict[str, float]:
    """Returns the means of the scores over the rows, of which each process scores a share.

    `score` returns the sums of the scores with these `names` over a few rows.
    """
    share = rows[distributed.get_rank() :: distributed.get_world_size()] if is_distributed() else rows
    totals = dict.fromkeys(names, 0.0)
    for start in range(0, len(share), BATCH):
        for name, value in score(share[start : start + BATCH]).items():
            totals[name] += value
    return {name: total / len(rows) for name, total in sum_over_ranks(totals, device).items()}


class KeptWeights:
    """The weights in a run folder beside the finished ones: adapters, or whole checkpoints where all weights learn.

    Only the process that writes has it.
    """

    def __init__(self, out: Path, first: int, save: Callable[[Path, dict], None]) -> None:
        """`first`: the steps taken so far; the best weights of a later step are removed: its step is taken again.

        `save` writes the weights as they are to a folder, with these entries in its `training.json`.
        """
        self.out, self.save, self.best_score = out, save, float("-inf")
        if (out / BEST / TRAINING).exists():
            kept = read_json(out / BEST / TRAINING)
            if kept["steps"] <= first:
                self.best_score = kept["eval"]["score"]
            else:
                shutil.rmtree(out / BEST)

    def keep_last(self, step: int) -> None:
        self._write(LAST, {"steps": step})

    def keep_if_best(self, step: int, score: float, scores: dict[str, float]) -> None:
        """Keeps the weights if their score is above all before; `scores` are those beside it."""
        if score > self.best_score:
            self.best_score = score
            self._write(BEST, {"steps": step, "eval": {"score": score, **scores}})

    def _write(self, name: str, training: dict) -> None:
        draft, folder = self.out / f".{name}.tmp", self.out / name
        shutil.rmtree(draft, ignore_errors=True)
        self.save(draft, training)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
