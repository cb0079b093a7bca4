"""Which lines of a picture's text hold the answer to a question: no rule here knows a kind of document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.metrics.anls import edit_distance
from cropvlm_trainer.metrics.contains import MIN_SHARED, amount, has_words, holds, shows_amount, words_of

MAX_SLIPS = 0.15
"""The share of an answer's letters that an OCR may have misread; answers under seven letters have to be exact."""
HEIGHT_STEP = 0.1
"""Lines whose heights are this near, in per cent of the page, count as equally tall."""


@dataclass(frozen=True)
class Line:
    """A line of text, and its box in per cent of the upright picture."""

    box: Rect
    text: str


def evidence(answers: Iterable[str], lines: Sequence[Line]) -> Line | None:
    """Returns the line that shows one of the answers, or None where none does.

    Of several, it is the one in the tallest type, and of those the first, because what is written large is what people
    look at. For an answer that goes over several lines the result has the box around them and their texts.
    """
    shown = [line for answer in dict.fromkeys(answers) for line in _showing(answer, lines)]
    return max(shown, key=lambda line: round(_height(line) / HEIGHT_STEP), default=None)


def _showing(answer: str, lines: Sequence[Line]) -> list[Line]:
    """Returns all lines that show the answer: as it is, else over several lines, else with slips of an OCR."""
    number = amount(answer)
    if number is not None:
        return [line for line in lines if shows_amount(answer, number, line.text)]
    words = words_of(answer)
    if not words:
        return []
    letters = "".join(words)
    whole = [line for line in lines if has_words(letters, words_of(line.text))]
    if len(letters) >= MIN_SHARED:
        whole = whole or [line for line in lines if holds(letters, "".join(words_of(line.text)))]
    return whole or _over_several(letters, lines) or [line for line in lines if _is_misread(letters, line)]


def _over_several(letters: str, lines: Sequence[Line]) -> list[Line]:
    """Returns the shortest runs of lines, in reading order, that hold the answer together."""
    found = []
    texts = ["".join(words_of(line.text)) for line in lines]
    for start, first in enumerate(texts):
        # The answer begins in the run's first line and goes on in the next.
        if not first or not any(letters.startswith(first[at:]) for at in range(len(first))):
            continue
        joined = first
        for end in range(start + 1, len(lines)):
            joined += texts[end]
            if letters in joined:
                if letters not in joined[len(first) :]:
                    found.append(_around(lines[start : end + 1]))
                break
            if len(joined) > len(first) + len(letters):
                break
    if found:
        return found
    # Other lines stand between its parts, as in columns: each part that is a whole line counts.
    return [line for line, text in zip(lines, texts, strict=True) if len(text) >= MIN_SHARED and text in letters]


def _is_misread(letters: str, line: Line) -> bool:
    """Whether the line is the answer but for a few letters; its digits have to be the same."""
    text = "".join(words_of(line.text))
    most = int(MAX_SLIPS * len(letters))
    digits = re.sub(r"\D", "", letters)
    if digits and digits != re.sub(r"\D", "", text):
        return False
    return most > 0 and abs(len(text) - len(letters)) <= most and edit_distance(text, letters) <= most


def _around(lines: Sequence[Line]) -> Line:
    boxes = [line.box for line in lines]
    box = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    return Line(box, "\n".join(line.text for line in lines))


def _height(line: Line) -> float:
    """Returns the height of its type, in per cent of the picture: an even share of the box of several lines."""
    return (line.box[3] - line.box[1]) / (line.text.count("\n") + 1)
