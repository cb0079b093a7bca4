"""Greedy boxes of an exported folder, decoded under the service's grammar (`src/engine/child/box-grammar.ts`).

Only a valid box can be written. Every model and precision therefore gives one, and two can be compared by their IoU.
"""

from dataclasses import dataclass

import numpy as np

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import format_box
from cropvlm_trainer.export.check.session import OnnxModel

NUMBERS = 4
MAX_PERCENT = 100


@dataclass(frozen=True)
class BoxTokens:
    """Token ids of the parts of ` [x1, y1, x2, y2].`"""

    open: list[int]
    separator: list[int]
    close: list[int]
    digits: list[int]


def box_tokens(tokenizer) -> BoxTokens:
    """The tokens of a tokenizer, found by encoding boxes; raises ValueError unless each digit is a token of its own."""

    def encode(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False)

    digits = [encode(str(digit)) for digit in range(10)]
    parts = _split(encode(format_box((0, 0, 0, 0))), digits[0][0])
    if len(parts) == NUMBERS + 1 and all(len(ids) == 1 for ids in digits) and parts[0] and parts[1] and parts[4]:
        tokens = BoxTokens(parts[0], parts[1], parts[4], [ids[0] for ids in digits])
        if _box_ids(tokens, (12, 5, 80, 47)) == encode(format_box((12, 5, 80, 47))):
            return tokens
    raise ValueError("boxes need a tokenizer that gives each digit a token of its own; this model cannot be a cropper")


def greedy_box(model: OnnxModel, prompt: np.ndarray, tokens: BoxTokens) -> Box:
    """The box by the likeliest token at each place, of those that the grammar allows there.

    `prompt`: its embeddings, f32 [1, L, D].
    """
    cache, length = model.empty_cache(), 0

    def feed(embeds: np.ndarray) -> np.ndarray:
        nonlocal cache, length
        length += embeds.shape[1]
        mask = np.ones((1, length), dtype=np.int64)
        logits, cache = model.decode(embeds, mask, cache, np.array([[embeds.shape[1] - 1]]))
        return logits[0, 0]

    def embedded(ids: list[int]) -> np.ndarray:
        return model.token_embeddings(np.array([ids], dtype=np.int64))

    numbers: list[int] = []
    logits = feed(np.concatenate([prompt, embedded(tokens.open)], axis=1))
    while True:
        digits, after = "", tokens.separator if len(numbers) < NUMBERS - 1 else tokens.close
        while True:
            choices = _choices(numbers, digits, tokens, after[0])
            token = max(choices, key=lambda choice: logits[choice])
            if token == after[0]:
                break
            digits += str(tokens.digits.index(token))
            logits = feed(embedded([token]))
        numbers.append(int(digits))
        if len(numbers) == NUMBERS:
            return numbers[0], numbers[1], numbers[2], numbers[3]
        logits = feed(embedded(tokens.separator))


def _choices(before: list[int], digits: str, tokens: BoxTokens, after: int) -> list[int]:
    """The tokens that the grammar allows next: x2 > x1, y2 > y1, no leading zeros.

    `before`: the numbers that are complete; `digits`: those of the number being written; `after`: the token that
    follows a complete number.
    """
    is_start = len(before) < 2
    low, high = (0, MAX_PERCENT - 1) if is_start else (before[-2] + 1, MAX_PERCENT)
    numbers = [str(number) for number in range(low, high + 1)]
    longer = [token for i, token in enumerate(tokens.digits) if any(n.startswith(f"{digits}{i}") for n in numbers)]
    return [*longer, after] if digits in numbers else longer


def _box_ids(tokens: BoxTokens, box: Box) -> list[int]:
    """The token ids of a box, made of its parts' tokens."""
    ids: list[int] = []
    for i, number in enumerate(box):
        ids += tokens.separator if i else tokens.open
        ids += [tokens.digits[int(digit)] for digit in str(number)]
    return ids + tokens.close


def _split(ids: list[int], at: int) -> list[list[int]]:
    """What stands before, between and after the tokens `at`."""
    parts: list[list[int]] = [[]]
    for token in ids:
        if token == at:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
