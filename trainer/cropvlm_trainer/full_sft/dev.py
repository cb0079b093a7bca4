"""How well a model's boxes cover the lines that were read on pages kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.boxes import WHOLE, Box
from cropvlm_trainer.contract import END_OF_UTTERANCE, parse_box
from cropvlm_trainer.full_sft.sequence import QuestionPacker
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import prefill, sample
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.metrics.exact_and_iou import COVERED, area, recall
from cropvlm_trainer.pictures import open_picture

AT_ONCE = 32
"""questions"""
MAX_NEW_TOKENS = 24


class BoxFinder:
    """Greedy boxes of a small model, for questions about pictures of one tile."""

    def __init__(
        self, model: Idefics3ForConditionalGeneration, packer: QuestionPacker, tokenizer: Tokenizer, pad: int, tile: int
    ) -> None:
        self.model, self.packer, self.tokenizer, self.pad, self.tile = model, packer, tokenizer, pad, tile
        self.end = tokenizer.token_to_id(END_OF_UTTERANCE)

    @torch.no_grad()
    def __call__(self, folder: Path, rows: Sequence[dict]) -> list[Box | None]:
        """Returns each row's box; None where the model's answer is none. Images are relative to `folder`."""
        features: dict[str, torch.Tensor] = {}
        device = self.model.device
        for row in rows:
            if row["image"] not in features:
                view = np.array(tiles(open_picture(folder / row["image"]), self.tile, self.tile))
                features[row["image"]] = encode_tiles(self.model, torch.from_numpy(view).to(device))
        boxes: list[Box | None] = []
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            prompts = [self.packer.prompt(row["question"]) for row in some]
            seen = torch.cat([features[row["image"]] for row in some])
            found = sample(
                self.model,
                prefill(self.model, prompts, seen, self.pad),
                end=self.end,
                pad=self.pad,
                max_new_tokens=MAX_NEW_TOKENS,
                temperature=0,
            )
            for ids, ended in zip(found.ids.tolist(), found.ended.tolist(), strict=True):
                boxes.append(parse_box(self.tokenizer.decode(ids)) if ended else None)
        return boxes


def coverage(rows: Sequence[dict], boxes: Sequence[Box | None]) -> dict[str, float]:
    """Returns the share of rows whose line is covered (`hit`), the boxes' mean size in per cent, and how many are none.

    The line is where `data seed --method text` read the answer; a row of another origin counts its own box. A row
    without a box is shown the whole image, which is no hit: it helps nobody.
    """
    hits = [
        box is not None and recall(box, (row.get("seed") or {}).get("line") or row["box"]) >= COVERED
        for row, box in zip(rows, boxes, strict=True)
    ]
    sizes = [area(box or WHOLE) / 100 for box in boxes]
    return {
        "dev_hit": sum(hits) / len(hits),
        "dev_size": sum(sizes) / len(sizes),
        "dev_none": float(sum(box is None for box in boxes)),
    }
