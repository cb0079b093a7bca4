"""The work that both sides do: the same questions, model, LoRA settings and length of completions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import AutoConfig, AutoProcessor, Idefics3ForConditionalGeneration

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import cropper_prompt
from cropvlm_trainer.idefics3.lora import LoraSettings
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid
from cropvlm_trainer.idefics3.tokenizer import SPECIAL_TOKENS
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.rows import read_rows

TEMPERATURE, BETA, LEARNING_RATE, MAX_GRAD_NORM = 0.8, 0.01, 5e-6, 0.1
"""The paper's."""


@dataclass(frozen=True)
class Work:
    base: str
    """checkpoint folder"""
    data: str
    """manifest with a question for each of the steps"""
    resolution: int
    reward_resolution: int
    group: int
    questions: int
    """a step; one in a pass"""
    new_tokens: int
    steps: int
    """of which the first is not timed"""
    lora_r: int
    checkpointing: bool
    device: str

    @property
    def lora(self) -> LoraSettings:
        return LoraSettings(r=self.lora_r, alpha=2 * self.lora_r)

    @property
    def precision(self) -> str:
        return "bf16" if self.device == "cuda" else "fp32"

    def batch(self, number: int) -> list[dict]:
        """The questions of a step."""
        return self.rows()[number * self.questions : (number + 1) * self.questions]

    def rows(self) -> list[dict]:
        return read_rows(Path(self.data))[: self.questions * self.steps]

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def forbidden(tokenizer) -> list[int]:
    """Ids that neither side may draw: image tokens, and the end token, so that all completions have the same length."""
    known = tokenizer.get_vocab()
    return [known[token] for token in SPECIAL_TOKENS if token in known]


def filled(boxes: Sequence[Sequence[Box | None]]) -> list[list[Box]]:
    """The boxes, with one that is different for each place in the group where there is none.

    Completions that never end have no box. The crop would then always be the full image, and equal crops are scored
    once; so filled, the reward VLM has as many crops to score as there are completions, on both sides.
    """
    return [[box or (2 * place, 2 * place, 60 + place, 60 + place) for place, box in enumerate(row)] for row in boxes]


def prompt_sizes(work: Work, encoder: PromptEncoder, tile: int) -> list[dict[str, int]]:
    """Tiles and tokens of each question's prompt."""
    sizes = []
    for row in work.rows():
        image = open_picture(Path(work.data).parent / row["image"])
        rows, columns = prompt_grid(image, work.resolution, tile)
        ids = encoder(cropper_prompt(row["question"]), [(rows, columns)])
        sizes.append({"tiles": rows * columns + 1, "tokens": len(ids)})
    return sizes


def save_random_weights(files: Path, out: Path) -> None:
    """A checkpoint in `out` of the architecture and processor in the folder `files`, with random weights (1 GB)."""
    if not (files / "config.json").exists():
        raise FileNotFoundError(f"{files} holds no config.json; name the folder of SmolVLM's files with --files")
    torch.manual_seed(0)
    Idefics3ForConditionalGeneration(AutoConfig.from_pretrained(files)).float().save_pretrained(out)
    AutoProcessor.from_pretrained(files).save_pretrained(out)
