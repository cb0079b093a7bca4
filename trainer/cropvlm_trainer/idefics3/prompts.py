"""Prompts as token ids: the contract's texts in the model's own chat template."""

from __future__ import annotations

import json
from collections.abc import Sequence

from PIL import Image
from tokenizers import Tokenizer
from transformers import Idefics3Processor, PreTrainedTokenizerBase

from cropvlm_trainer.idefics3.image_processing import tile_grid

Grid = tuple[int, int]
"""Rows and columns of an image's tiles; (0, 0) is one tile without a split."""


class PromptEncoder:
    """transformers' template, image text and tokenizer; special tokens only where they are ours, never a question's."""

    def __init__(self, processor: Idefics3Processor) -> None:
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self._plain = without_added_tokens(self.tokenizer)

    def __call__(self, text: str, grids: Sequence[Grid]) -> list[int]:
        """Token ids of a user's turn with an image for each grid and then `text`, and the reply's opening."""
        before, after = self._around(grids)
        ids = self._encode(before) + self._plain.encode(text, add_special_tokens=False).ids + self._encode(after)
        if not any(token in text for token in self.tokenizer.get_added_vocab()):
            assert ids == self._encode(before + text + after), f"the prompt of {text!r} depends on how it is split"
        return ids

    def _around(self, grids: Sequence[Grid]) -> tuple[str, str]:
        stand_in = "\ue000"
        content = [{"type": "image"} for _ in grids] + [{"type": "text", "text": stand_in}]
        turn = [{"role": "user", "content": content}]
        prompt = self.processor.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
        before, after = prompt.split(stand_in)
        opening, *gaps = before.split("<image>")
        images = [self.processor.replace_image_token({"rows": [[r]], "cols": [[c]]}, 0) for r, c in grids]
        return opening + "".join(image + gap for image, gap in zip(images, gaps, strict=True)), after

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]


def without_added_tokens(tokenizer: PreTrainedTokenizerBase) -> Tokenizer:
    """The same tokenizer, to which `<image>` and its like are plain text."""
    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    return Tokenizer.from_str(json.dumps(parts | {"added_tokens": []}))


def prompt_grid(image: Image.Image, longest_edge: int, tile: int) -> Grid:
    """Rows and columns as prompts name them: (0, 0) is one tile without a split."""
    rows, columns = tile_grid(*image.size, longest_edge, tile)
    return (0, 0) if rows == columns == 1 else (rows, columns)
