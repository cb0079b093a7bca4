"""What an auxiliary loss teaches each image token to say: which frequent words and which patterns lie in its cell.

The words are the most frequent of the training pages' own texts, and the patterns are kinds of text that any document
may have. Nothing of it is needed once the model is trained.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

import torch

from cropvlm_trainer.data.seed.evidence import Line

WORDS = 48
PATTERNS = {
    "date": r"\d{1,4}[-/. ](?:\d{1,2}|[A-Za-z]{3,9})[-/. ,]{1,2}\d{2,4}",
    "amount": r"\d+[.,]\d\d\b",
    "time": r"\d{1,2}:\d\d",
    "percent": r"\d\s?%",
    "label": r"[A-Za-z.]\s?:",
    "address": r"www\.|https?:|@",
    "number": r"\d{5,}",
    "capitals": r"\b[A-Z]{4,}\b",
    "small letters": r"\b[a-z]{4,}\b",
}
_WORD = re.compile(r"[^\W\d_]{3,}")
_PATTERNS = [re.compile(pattern) for pattern in PATTERNS.values()]

Place = tuple[int, float, float]
"""The number of a word or pattern, and where its middle stands, x and y in per cent of the page."""


def frequent_words(sets: Iterable[Collection[Sequence[Line]]]) -> list[str]:
    """Returns the `WORDS` words that stand on most pages, casefolded; of equals the first in the alphabet.

    Each set of pages counts as much as another, whatever its size.
    """
    shares: Counter[str] = Counter()
    for pages in sets:
        counts = Counter(
            word for lines in pages for word in {word for line in lines for word in _WORD.findall(line.text.casefold())}
        )
        shares.update({word: count / len(pages) for word, count in counts.items()})
    return sorted(shares, key=lambda word: (-shares[word], word))[:WORDS]


def places(words: Sequence[str], lines: Iterable[Line]) -> list[Place]:
    """Returns where the words, and after them the patterns, stand on a page.

    The letters of a line count as equally wide.
    """
    numbers = {word: number for number, word in enumerate(words)}
    return [
        (number, line.box[0] + (line.box[2] - line.box[0]) * middle, (line.box[1] + line.box[3]) / 2)
        for line in lines
        for number, middle in _found(numbers, len(words), line.text)
    ]


def in_cells(moved: Iterable[Place], classes: int, side: int) -> torch.Tensor:
    """Returns f32 `[side * side, classes]`, 1 where a class stands in a cell; places outside the view are left out."""
    cells = torch.zeros(side * side, classes)
    for number, x, y in moved:
        column, row = int(x / 100 * side), int(y / 100 * side)
        if x >= 0 and y >= 0 and column < side and row < side:
            cells[row * side + column, number] = 1
    return cells


def _found(numbers: dict[str, int], words: int, text: str) -> Iterator[tuple[int, float]]:
    """Yields each class that stands in a text, with its middle as a share of the text's length."""
    for match in _WORD.finditer(text.casefold()):
        if match[0] in numbers:
            yield numbers[match[0]], (match.start() + match.end()) / 2 / len(text)
    for number, pattern in enumerate(_PATTERNS, start=words):
        for match in pattern.finditer(text):
            yield number, (match.start() + match.end()) / 2 / len(text)
