"""A source's row as it is read, and what of it goes into the manifest or speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cropvlm_trainer.boxes import check_box
from cropvlm_trainer.rows import is_text, is_texts


@dataclass(frozen=True)
class Columns:
    """What a set's columns are called; `image` and `question` are so in all of them."""

    answers: str = "answers"
    source_id: str | None = None
    """The set's own number of the question, where it has one."""

    def needed(self) -> list[str]:
        return ["image", "question", self.answers, *([self.source_id] if self.source_id else [])]


@dataclass(frozen=True)
class Raw:
    """One row of a source, nothing of it checked yet."""

    source: str
    row: int
    """From 0 within the source."""
    question: Any
    answers: Any
    image: bytes | None
    """As encoded in the source; None where the source gives none."""
    source_id: Any = None
    box: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of a manifest of ours, kept as they are."""


class Rejection(ValueError):
    """A row that cannot be used: `reason` is one of a few to count by, the message says more."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


def question_of(raw: Raw) -> str:
    """The question without white space around it."""
    if not is_text(raw.question):
        raise Rejection("no question")
    return raw.question.strip()


def answers_of(raw: Raw) -> list[str]:
    """The answers as they stand, in their order and with repeats and blanks: TextVQA's ten are ten people's votes."""
    answers = [raw.answers] if isinstance(raw.answers, str) else raw.answers
    if not answers:
        raise Rejection("no answers")
    if not is_texts(answers):
        raise Rejection("answers are not text", f"answers are {str(answers)[:200]}")
    if not any(answer.strip() for answer in answers):
        raise Rejection("no answers", "every answer is blank")
    return list(answers)


def box_of(raw: Raw) -> list[float] | None:
    """The box in per cent, or None where the source has none."""
    if raw.box is None:
        return None
    try:
        check_box(raw.box)
    except ValueError as error:
        raise Rejection("invalid box", str(error)) from error
    return list(raw.box)
