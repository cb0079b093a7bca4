"""The target of an evaluation, and a checkpoint as one: transformers' greedy decoding."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import torch
from PIL import Image
from tqdm import tqdm

from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.chat.client import EndpointTarget
from cropvlm_trainer.chat.endpoint import Endpoint, key_from
from cropvlm_trainer.chat.messages import Prompt
from cropvlm_trainer.evaluation.arguments import CHECKPOINT_TOKENS
from cropvlm_trainer.idefics3.adapter import open_for_inference
from cropvlm_trainer.idefics3.image_processing import tile_grid
from cropvlm_trainer.idefics3.prompts import chat_text

MAX_BATCH = 32
"""Prompts in a batch."""
MAX_BATCH_TILES = 64
"""Tiles in a batch: those of 32 prompts with a full image and a crop of one tile each. One prompt may have more."""


class Target(Protocol):
    def answer(self, prompts: Sequence[Prompt], name: str) -> list[str | None]:
        """Returns the stripped answers in order, None where a prompt has none. `name` labels the progress bar."""
        ...


class Checkpoint:
    """A checkpoint of the Idefics3 family, or a LoRA adapter merged into its base: fp32 on the CPU, bf16 on a GPU."""

    def __init__(self, folder: Path, longest_edge: int | None, max_tokens: int, device: str = "auto") -> None:
        """`longest_edge` of the images that the model sees is in pixels; None is one tile. `max_tokens`: of an answer.

        Raises FileNotFoundError where checkpoint or base is missing, ValueError for a `longest_edge` that the model
        cannot see.
        """
        self.model, self.processor, self.tile, self.longest_edge = open_for_inference(folder, longest_edge, device)
        self.processor.tokenizer.padding_side = "left"
        self.max_tokens = max_tokens

    def answer(self, prompts: Sequence[Prompt], name: str) -> list[str | None]:
        answers = []
        with tqdm(total=len(prompts), desc=name) as bar:
            for batch in self._batches(prompts):
                answers += self._generate(*batch)
                bar.update(len(batch[0]))
        return answers

    def _batches(self, prompts: Sequence[Prompt]) -> Iterator[tuple[list[str], list[list[Image.Image]]]]:
        """Yields the texts and pictures of as many prompts as a batch may have, at least of one."""
        texts, pictures, tiles = [], [], 0
        for prompt in prompts:
            some = prompt.pictures()
            count = sum(self._tiles(picture) for picture in some)
            if texts and (len(texts) == MAX_BATCH or tiles + count > MAX_BATCH_TILES):
                yield texts, pictures
                texts, pictures, tiles = [], [], 0
            texts, pictures, tiles = [*texts, prompt.text], [*pictures, some], tiles + count
        if texts:
            yield texts, pictures

    def _tiles(self, picture: Image.Image) -> int:
        rows, columns = tile_grid(*picture.size, self.longest_edge, self.tile)
        return 1 if rows == columns == 1 else rows * columns + 1

    @torch.no_grad()
    def _generate(self, texts: list[str], pictures: list[list[Image.Image]]) -> list[str]:
        chats = [chat_text(self.processor, len(some), text) for some, text in zip(pictures, texts, strict=True)]
        size = {"longest_edge": self.longest_edge}
        inputs = self.processor(text=chats, images=pictures, size=size, padding=True, return_tensors="pt")
        inputs = inputs.to(self.model.device, self.model.dtype)
        ids = self.model.generate(**inputs, max_new_tokens=self.max_tokens, do_sample=False)
        new = ids[:, inputs["input_ids"].shape[1] :]
        return [text.strip() for text in self.processor.batch_decode(new, skip_special_tokens=True)]


def make_target(args: argparse.Namespace) -> Target:
    """Returns the checkpoint or endpoint that the options name.

    Raises FileNotFoundError and ValueError for a checkpoint that is missing or cannot see images at the resolution, and
    for a key that is not in the environment.
    """
    if args.target:
        return Checkpoint(args.target, args.target_resolution, args.max_tokens or CHECKPOINT_TOKENS)
    key = key_from(args.target_key_env)
    given = {
        "longest_edge": args.target_resolution,
        "max_tokens": args.max_tokens,
        "concurrency": args.target_concurrency,
        "timeout": args.target_timeout,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    cache = AnswerCache(args.out and args.out.with_suffix(".answers.jsonl"))
    if cache.count:
        print(f"{cache.count} answers of earlier runs are in {cache.path}")
    return EndpointTarget(Endpoint(args.target_url, args.target_model, key, **settings), cache)
