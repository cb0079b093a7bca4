"""Prompts as token ids: texts of `cropvlm_trainer.contract` in the model's chat template, by transformers' processor.

`PromptBuilder` makes the same ids for the small models that `pretrain` trains, which have a tokenizer but no processor.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import Idefics3Processor, PreTrainedTokenizerBase

from cropvlm_trainer.contract import END_OF_UTTERANCE
from cropvlm_trainer.idefics3.forward import IGNORE
from cropvlm_trainer.idefics3.image_processing import tile_grid
from cropvlm_trainer.idefics3.tokenizer import SPECIAL_TOKENS

Grid = tuple[int, int]
"""Rows and columns of an image's tiles; (0, 0) is one tile without a split."""
TEXT_MARK = "\ue000"
"""Stands for the text while the template is applied: a character for private use, which no template contains."""


class PromptEncoder:
    """Makes token ids with transformers' chat template, image placeholders and tokenizer.

    Special tokens come from the template alone: `<image>` in a question is plain text.
    """

    def __init__(self, processor: Idefics3Processor) -> None:
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.end: int = self.tokenizer.convert_tokens_to_ids(END_OF_UTTERANCE)
        """id of the token that ends a reply"""
        self.pad: int = self.tokenizer.pad_token_id
        self._plain_tokenizer = without_added_tokens(self.tokenizer)

    @property
    def undrawn(self) -> list[int]:
        """Ids of the special tokens that are never drawn, all but the end's; an image token would need features."""
        vocabulary = self.tokenizer.get_vocab()
        return [vocabulary[token] for token in SPECIAL_TOKENS if token in vocabulary and token != END_OF_UTTERANCE]

    def __call__(self, text: str, grids: Sequence[Grid]) -> list[int]:
        """Token ids of a user's turn, which has an image for each grid and then `text`, and of the reply's opening."""
        before, after = self._around_text(grids)
        text_ids = self._plain_tokenizer.encode(text, add_special_tokens=False).ids
        ids = self._encode(before) + text_ids + self._encode(after)
        if not any(token in text for token in self.tokenizer.get_added_vocab()):
            assert ids == self._encode(before + text + after), f"the prompt of {text!r} depends on how it is split"
        return ids

    def reply(self, text: str) -> list[int]:
        """Token ids of a reply, with the leading space that `text` has, and the end token."""
        return [*self._encode(text), self.end]

    def _around_text(self, grids: Sequence[Grid]) -> tuple[str, str]:
        """What stands before the text, with the images' placeholders, and what stands after it."""
        before, after = chat_text(self.processor, len(grids), TEXT_MARK).split(TEXT_MARK)
        opening, *gaps = before.split("<image>")
        images = [self.processor.replace_image_token({"rows": [[r]], "cols": [[c]]}, 0) for r, c in grids]
        return opening + "".join(image + gap for image, gap in zip(images, gaps, strict=True)), after

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]


class PromptBuilder:
    """Token ids of prompts and answers about images of one tile, in the chat template of `cropvlm_trainer.contract`.

    For small models, of which there is a tokenizer and not yet a processor; `PromptEncoder` is for all others.
    The tests hold its ids equal to those of transformers' processor.
    """

    def __init__(self, tokenizer: Tokenizer, tokens_per_tile: int) -> None:
        self.tokenizer = tokenizer
        self.tokens_per_tile = tokens_per_tile
        self.image = "<fake_token_around_image><global-img>" + "<image>" * tokens_per_tile
        self.image += "<fake_token_around_image>"
        self.pad = tokenizer.token_to_id("<|im_end|>")

    def word(self, word: str) -> int:
        """The id of a word as it stands inside a question: after a space, except for a digit.

        Raises ValueError for a word that is not one token.
        """
        text = word if word.isdecimal() else f" {word}"
        ids = self.tokenizer.encode(text).ids
        if len(ids) != 1:
            raise ValueError(f"{word!r} is {len(ids)} tokens; a word to name things by must be one")
        return ids[0]

    def encode(self, images: int, text: str, answer: str) -> tuple[list[int], int]:
        """The ids of a prompt with `images` images and of its answer, and the position where the answer starts."""
        head = f"<|im_start|>User:{self.image * images}{text}{END_OF_UTTERANCE}\nAssistant:"
        prompt = self.tokenizer.encode(head).ids
        return prompt + self.tokenizer.encode(f"{answer}{END_OF_UTTERANCE}").ids, len(prompt)

    def collate(self, sequences: list[tuple[list[int], int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch's `input_ids` and `labels`, int64 `[B, L]` each, from what `encode` returned for each question."""
        length = max(len(ids) for ids, _ in sequences)
        input_ids = torch.full((len(sequences), length), self.pad)
        labels = torch.full((len(sequences), length), IGNORE)
        for row, (ids, start) in enumerate(sequences):
            input_ids[row, : len(ids)] = torch.tensor(ids)
            labels[row, start - 1 : len(ids) - 1] = torch.tensor(ids[start:])
        return input_ids, labels


def chat_text(processor: Idefics3Processor, images: int, text: str) -> str:
    """A user's turn of so many images and then the text, and the reply's opening, in the model's own chat template."""
    turn = {"role": "user", "content": [{"type": "image"}] * images + [{"type": "text", "text": text}]}
    return processor.apply_chat_template([turn], add_generation_prompt=True, tokenize=False)


def without_added_tokens(tokenizer: PreTrainedTokenizerBase) -> Tokenizer:
    """The same tokenizer without its added tokens: to it `<image>` and other special tokens are plain text."""
    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    return Tokenizer.from_str(json.dumps(parts | {"added_tokens": []}))


def prompt_grid(image: Image.Image, longest_edge: int, tile: int) -> Grid:
    """The grid of an image as prompts name it. `longest_edge` and `tile` in pixels."""
    rows, columns = tile_grid(*image.size, longest_edge, tile)
    return (0, 0) if rows == columns == 1 else (rows, columns)
