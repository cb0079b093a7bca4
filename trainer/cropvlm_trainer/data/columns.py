"""A row as a source has it, and the checks after which its fields go into the data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cropvlm_trainer.boxes import check_box
from cropvlm_trainer.rows import is_text, is_texts


@dataclass(frozen=True)
class Columns:
    """The names of a data set's columns; those of image and question are `image` and `question` in all of them."""

    answers: str = "answers"
    source_id: str | None = None
    """The column with the data set's own id of the question, where it has one."""

    def needed(self) -> list[str]:
        return ["image", "question", self.answers, *([self.source_id] if self.source_id else [])]


@dataclass(frozen=True)
class Raw:
    """One row of a source, not yet checked."""

    source: str
    row: int
    """The row's number within the source, from 0."""
    question: Any
    answers: Any
    image: bytes | None
    """The encoded image; None where the source has none."""
    source_id: Any = None
    box: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of a row that is already in our format, kept as they are."""


MAX_ANSWER = 1000
"""Characters that an answer may have: what a likelihood costs grows with its tokens."""


class Rejection(ValueError):
    """A row that cannot be used. `reason` is a short text by which rejected rows are counted; the message says more."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


def question_of(raw: Raw) -> str:
    """Returns the question without white space around it. Raises Rejection where there is none."""
    if not is_text(raw.question):
        raise Rejection("no question")
    return raw.question.strip()


def answers_of(raw: Raw) -> list[str]:
    """Returns the answers unchanged. Raises Rejection where there are none.

    Repeats and blanks stay, because TextVQA's ten answers are the votes of ten people.
    """
    answers = [raw.answers] if isinstance(raw.answers, str) else raw.answers
    if not answers:
        raise Rejection("no answers")
    if not is_texts(answers):
        raise Rejection("answers are not text", f"answers are {str(answers)[:200]}")
    if not any(answer.strip() for answer in answers):
        raise Rejection("no answers", "every answer is blank")
    longest = max(map(len, answers))
    if longest > MAX_ANSWER:
        raise Rejection("answer too long", f"an answer has {longest} characters, more than {MAX_ANSWER}; shorten it")
    return list(answers)


def box_of(raw: Raw) -> list[float] | None:
    """Returns the box in per cent, or None where the row has none. Raises Rejection for an invalid box."""
    if raw.box is None:
        return None
    try:
        check_box(raw.box)
    except ValueError as error:
        raise Rejection("invalid box", str(error)) from error
    return list(raw.box)
