"""Merges rows that ask the same question about the same image into one row with the answers of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import PurePosixPath

from cropvlm_trainer.contract import target_prompt

VOTES = frozenset({"textvqa"})
"""Sources whose answers are the votes of ten people. Their measure, VQA accuracy, needs exactly these ten answers."""


def merge(rows: Iterable[dict]) -> tuple[list[dict], list[tuple[str, bool]]]:
    """Returns the rows without duplicates, and for each duplicate its source and whether it had further answers.

    Rows are duplicates where the content of their images is equal and their questions are equal in the form that the
    prompts have (`contract.target_prompt`). The merged row takes the first one's place. The duplicate's further answers
    are added to `answers`. Where one of the rows has votes (`VOTES`), `answers` are those votes, unchanged, and the
    other row's further answers go to `other_answers`.
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
    """Returns 16 hex digits that depend only on the image's content and the question; they are equal in all builds."""
    content = PurePosixPath(row["image"]).stem
    # The prompt without its last line, which is the request: the question as every prompt has it.
    question = target_prompt(row["question"]).rpartition("\n")[0]
    return sha256(f"{content}\n{question}".encode()).hexdigest()[:16]


def _with_id(key: str, row: dict) -> dict:
    row_id = f"{row['source']}-{key}"
    # A row of an earlier build has the id that it got there as its `source_id`, which says nothing about its source.
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
    """Returns the second row's answers that the first one does not have, each once, in their order.

    Answers that differ only in case or in the white space around them are the same. If they were added as new ones, the
    most common answer, whose likelihood is the reward, could change.
    """
    have = {_folded(answer) for answer in [*first["answers"], *first.get("other_answers", [])]} | {""}
    theirs = [*second["answers"], *second.get("other_answers", [])]
    new = {_folded(answer): answer for answer in reversed(theirs)}
    return [answer for answer in dict.fromkeys(new[_folded(a)] for a in theirs) if _folded(answer) not in have]


def _folded(answer: str) -> str:
    return answer.strip().lower()
