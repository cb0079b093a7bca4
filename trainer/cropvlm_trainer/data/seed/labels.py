"""Questions about the labels of a page, found in its text: "What is the <label>?", with the line that has the value.

A cropper that is asked three fields alone learns where these three stand, and little about what it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from cropvlm_trainer.data.seed.evidence import Line

MAX_LABEL, MIN_LETTERS = 25, 3
LETTERS_SHARE = 0.7
"""The share of a line's characters that are a label's, for the line to be one."""
SAME_ROW = 0.6
"""How far the middles of two lines of a row are apart at most, in heights of the first."""

_BEFORE_COLON = re.compile(r"\s*([^\W\d_][^:]{1,24}?)\s*:\s*(\S.*)")
_NOT_OF_LABEL = re.compile(r"[^\w .#/()&'-]|\d")


class LabelQuestion(NamedTuple):
    question: str
    answer: str
    line: Line
    """the line that shows the value"""


def label_questions(lines: Sequence[Line]) -> list[LabelQuestion]:
    """Returns a question for each label of a page, in the order of the lines.

    A label stands before a colon in the line of its value, or is a line of its own with its value, which has a digit,
    at its right. A label that stands on the page twice is left out: the question would have two answers.
    """
    found: dict[str, LabelQuestion | None] = {}
    for line in lines:
        for label, answer, value in _labelled(line, lines):
            asked = LabelQuestion(f"What is the {label}?", answer, value)
            found[label] = None if label in found else asked
    return [question for question in found.values() if question is not None]


def label_of(text: str) -> str | None:
    """Returns the label in small letters; None where the text is none."""
    label = " ".join(_NOT_OF_LABEL.sub(" ", text).split()).strip(" .-").casefold()
    letters = sum(character.isalpha() for character in label)
    return label if letters >= MIN_LETTERS and len(label) <= MAX_LABEL else None


def _labelled(line: Line, lines: Sequence[Line]) -> list[tuple[str, str, Line]]:
    match = _BEFORE_COLON.fullmatch(line.text)
    if match:
        label = label_of(match[1])
        return [(label, match[2].strip(), line)] if label else []
    label = label_of(line.text.rstrip(" :"))
    # A line with digits is an item or a value.
    if not label or re.search(r"\d", line.text) or len(label) < LETTERS_SHARE * len(line.text.strip()):
        return []
    at_right = [other for other in lines if _is_right_of(line, other) and re.search(r"\d", other.text)]
    if not at_right:
        return []
    value = max(at_right, key=lambda other: other.box[0])
    return [(label, value.text.strip(), value)]


def _is_right_of(line: Line, other: Line) -> bool:
    height = line.box[3] - line.box[1]
    apart = abs(line.box[1] + line.box[3] - other.box[1] - other.box[3]) / 2
    return other.box[0] > line.box[2] - 1 and apart < SAME_ROW * height
