"""Several questions about one picture behind one prefix: the picture is encoded, and stands in the prompt, once.

A question's tokens see the prefix and themselves, not the other questions, and have the positions that they would have
alone. The loss of each question so is what it is in a prompt of its own.

In the shapes: B pictures, L tokens of the longest sequence and its padding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from cropvlm_trainer.contract import END_OF_UTTERANCE, cropper_prompt, format_box
from cropvlm_trainer.idefics3.forward import IGNORE
from cropvlm_trainer.idefics3.prompts import PromptBuilder

MULTIPLE = 64
"""Sequences are padded to a multiple of it. Memory that is freed serves again for what is as large: with lengths of any
kind, what the process holds grows faster."""
PREFIX, PADDING = 0, -1
"""The segment numbers of what all questions see, and of what none sees."""


class Packed(NamedTuple):
    """What `pack` gives; all int64 `[B, L]` but the mask."""

    input_ids: torch.Tensor
    labels: torch.Tensor
    """the id to predict at each position, `IGNORE` outside the answers"""
    position_ids: torch.Tensor
    segments: torch.Tensor
    """`PREFIX`, the number of the question from 1, or `PADDING`"""


class QuestionPacker:
    """Makes the sequences of a model with this tokenizer; images are one tile."""

    def __init__(self, builder: PromptBuilder) -> None:
        encode = builder.tokenizer.encode
        self._encode, self._pad = encode, builder.pad
        self.prefix = encode(f"<|im_start|>User:{builder.image}").ids

    def prompt(self, question: str) -> list[int]:
        """The ids of a whole prompt with one question."""
        return self.prefix + self._question(question)

    def pack(self, pictures: Sequence[Sequence[tuple[str, Sequence[float]]]]) -> Packed:
        """Returns a sequence for each picture, from its pairs of a question and a box in per cent."""
        rows = [self._row(pairs) for pairs in pictures]
        length = -(-max(len(row[0]) for row in rows) // MULTIPLE) * MULTIPLE
        blanks = (self._pad, IGNORE, 0, PADDING)
        columns = zip(*rows, strict=True)
        return Packed(
            *(
                torch.tensor([part + [blank] * (length - len(part)) for part in column])
                for column, blank in zip(columns, blanks, strict=True)
            )
        )

    def _row(self, pairs: Sequence[tuple[str, Sequence[float]]]) -> tuple[list[int], ...]:
        start = len(self.prefix)
        ids, labels, positions, segments = list(self.prefix), [IGNORE] * start, list(range(start)), [PREFIX] * start
        for number, (question, box) in enumerate(pairs, start=1):
            asked, answer = self._question(question), self._encode(f"{format_box(box)}{END_OF_UTTERANCE}").ids
            # The answer is predicted from the token before it on, and nothing after its end.
            labels += [IGNORE] * (len(asked) - 1) + answer + [IGNORE]
            ids += asked + answer
            positions += range(start, start + len(asked) + len(answer))
            segments += [number] * (len(asked) + len(answer))
        return ids, labels, positions, segments

    def _question(self, question: str) -> list[int]:
        return self._encode(f"{cropper_prompt(question)}{END_OF_UTTERANCE}\nAssistant:").ids


def attention_mask(segments: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Returns what is added to the attention's scores, `[B, 1, L, L]`: 0 where a token sees another, else the lowest.

    A token sees itself, and earlier tokens of the prefix and of its own question. `segments` int64 `[B, L]`.
    """
    same = segments[:, :, None] == segments[:, None, :]
    sees = (same | (segments[:, None, :] == PREFIX)) & torch.ones_like(same[0]).tril()
    mask = torch.zeros(sees.shape, dtype=dtype, device=segments.device)
    return mask.masked_fill(~sees, torch.finfo(dtype).min)[:, None]
