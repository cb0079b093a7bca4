"""Rows that ask the same of the same image become one, and no answer is lost."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import PurePosixPath

VOTES = frozenset({"textvqa"})
"""Sources whose answers are ten people's votes: the leave-one-out measure needs just these ten, repeats included."""


def merge(rows: Iterable[dict]) -> tuple[list[dict], list[tuple[str, bool]]]:
    """The rows without duplicates, and for each duplicate its source and whether it had an answer of its own.

    Two rows are one where their image's content and their question as the prompts write it (`capitalize`) are equal;
    the first one's place is kept. Distinct answers of a duplicate join `answers`, which are alternatives, except where
    those are votes: then votes win over alternatives, stay as they are, and the others go to `other_answers`.
    """
    kept: dict[str, dict] = {}
    dropped: list[tuple[str, bool]] = []
    for row in rows:
        key = pair_key(row)
        if key not in kept:
            kept[key] = row
            continue
        dropped.append((row["source"], bool(_new_answers(kept[key], row))))
        kept[key] = _joined(kept[key], row)
    return [_with_id(key, row) for key, row in kept.items()], dropped


def pair_key(row: dict) -> str:
    """16 hex digits of (image content, question): the same in every build, whatever else is in it."""
    content = PurePosixPath(row["image"]).stem
    return sha256(f"{content}\n{row['question'].capitalize()}".encode()).hexdigest()[:16]


def _with_id(key: str, row: dict) -> dict:
    row_id = f"{row['source']}-{key}"
    # A set built before gives the id that it got here: that is no id of a source.
    return {"id": row_id, **{k: v for k, v in row.items() if (k, v) != ("source_id", row_id)}}


def _joined(first: dict, second: dict) -> dict:
    if second["source"] in VOTES and first["source"] not in VOTES:
        first, second = second, first
    new = _new_answers(first, second)
    row = dict(first)
    if new and first["source"] in VOTES:
        row["other_answers"] = [*first.get("other_answers", []), *new]
    elif new:
        row["answers"] = [*first["answers"], *new]
    if "box" in second:
        row.setdefault("box", second["box"])
    return row


def _new_answers(first: dict, second: dict) -> list[str]:
    """The second row's answers that the first one does not have, each once, in their order.

    Case and white space around do not tell two answers apart: so the most common answer, which a reward is the
    likelihood of, stays the first row's.
    """
    have = {_folded(answer) for answer in [*first["answers"], *first.get("other_answers", [])]} | {""}
    theirs = [*second["answers"], *second.get("other_answers", [])]
    new = {_folded(answer): answer for answer in reversed(theirs)}
    return [answer for answer in dict.fromkeys(new[_folded(a)] for a in theirs) if _folded(answer) not in have]


def _folded(answer: str) -> str:
    return answer.strip().lower()
