"""Answers kept in a JSONL file, so that a run that was killed does not ask, and pay, for them again."""

from __future__ import annotations

import json
from pathlib import Path

from cropvlm_trainer.files import to_line, whole_lines


class AnswerCache:
    """Answers by key; the file has `{"key", "answer"}` on each line. With `path` None, nothing is kept on disk.

    Raises ValueError where the file holds something else.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.answers = _read(path) if path else {}

    @property
    def count(self) -> int:
        return len(self.answers)

    def get(self, key: str) -> str | None:
        return self.answers.get(key)

    def add(self, key: str, answer: str) -> None:
        """Keeps an answer. It is on disk when this returns, so that a kill at any time loses no answer."""
        self.answers[key] = answer
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(to_line({"key": key, "answer": answer}))


def _read(path: Path) -> dict[str, str]:
    answers = {}
    for number, line in enumerate(whole_lines(path), start=1):
        try:
            row = json.loads(line)
            answers[row["key"]] = row["answer"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {number} of {path} is no kept answer; remove the file to ask anew") from error
    return answers
