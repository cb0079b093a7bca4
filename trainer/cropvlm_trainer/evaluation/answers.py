"""Answers of a model: what a target is asked, and how a checkpoint answers (greedy decoding by transformers)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from PIL import Image
from tqdm import tqdm

from cropvlm_trainer.chat.messages import Question
from cropvlm_trainer.idefics3.adapter import open_checkpoint
from cropvlm_trainer.idefics3.image_processing import tile_grid
from cropvlm_trainer.idefics3.model import pick_device
from cropvlm_trainer.idefics3.tokenizer import MAX_GRID

BATCH_TILES = 64
"""Tiles a batch holds at most: 32 questions about a full image and a crop of one tile each."""
BATCH = 32


class Target(Protocol):
    def answer(self, questions: Sequence[Question], name: str) -> list[str | None]:
        """The stripped answers, in order; None where the target failed to give one. `name` labels the progress bar."""
        ...


class Checkpoint:
    """A model folder of the Idefics3 family, or a LoRA adapter's beside its base: fp32 on the CPU, bf16 on a GPU.

    `longest_edge`: of the images it sees, in pixels; None for one tile. `max_tokens`: of an answer.
    """

    def __init__(self, folder: Path, longest_edge: int | None, max_tokens: int, device: str = "auto") -> None:
        with open_checkpoint(folder) as (model, processor, _):
            self.model, self.processor = model.eval(), processor
        self.device = pick_device(device)
        self.model.to(self.device, torch.bfloat16 if self.device.type == "cuda" else torch.float32)
        self.processor.tokenizer.padding_side = "left"
        self.tile = self.model.config.vision_config.image_size
        self.longest_edge = longest_edge or self.tile
        self.max_tokens = max_tokens
        if self.longest_edge % self.tile:
            raise ValueError(
                f"{folder} cannot see images at a longest edge of {longest_edge}; give a multiple of its tiles' "
                f"{self.tile} pixels"
            )
        if self.longest_edge > MAX_GRID * self.tile:
            raise ValueError(
                f"{folder} cannot see images at a longest edge of {longest_edge}; its tiles have names up to "
                f"{MAX_GRID * self.tile} pixels"
            )

    def answer(self, questions: Sequence[Question], name: str) -> list[str | None]:
        answers = []
        with tqdm(total=len(questions), desc=name) as bar:
            for batch in self._batches(questions):
                answers += self._generate(*batch)
                bar.update(len(batch[0]))
        return answers

    def _batches(self, questions: Sequence[Question]):
        """Texts and pictures of as many questions as hold `BATCH_TILES` tiles, one question at least."""
        texts, pictures, tiles = [], [], 0
        for question in questions:
            some = question.pictures()
            count = sum(self._tiles(picture) for picture in some)
            if texts and (len(texts) == BATCH or tiles + count > BATCH_TILES):
                yield texts, pictures
                texts, pictures, tiles = [], [], 0
            texts, pictures, tiles = [*texts, question.text], [*pictures, some], tiles + count
        if texts:
            yield texts, pictures

    def _tiles(self, picture: Image.Image) -> int:
        rows, columns = tile_grid(*picture.size, self.longest_edge, self.tile)
        return 1 if rows == columns == 1 else rows * columns + 1

    @torch.no_grad()
    def _generate(self, texts: list[str], pictures: list[list[Image.Image]]) -> list[str]:
        prompts = [self._prompt(len(some), text) for some, text in zip(pictures, texts, strict=True)]
        size = {"longest_edge": self.longest_edge}
        inputs = self.processor(text=prompts, images=pictures, size=size, padding=True, return_tensors="pt")
        inputs = inputs.to(self.device, self.model.dtype)
        ids = self.model.generate(**inputs, max_new_tokens=self.max_tokens, do_sample=False)
        new = ids[:, inputs["input_ids"].shape[1] :]
        return [text.strip() for text in self.processor.batch_decode(new, skip_special_tokens=True)]

    def _prompt(self, images: int, text: str) -> str:
        content = [{"type": "image"}] * images + [{"type": "text", "text": text}]
        return self.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
