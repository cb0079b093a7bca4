"""The rows that get seed boxes: read and checked, and written with their new box."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.shards import Shard, shard_rows
from cropvlm_trainer.files import to_lines, write_whole
from cropvlm_trainer.rows import check_beside, check_images, read_rows, with_target


def seedable_rows(dataset: Path, out: Path, needs: Sequence[str] = (), shard: Shard | None = None) -> list[dict]:
    """Returns the rows of a data set, or of a shard, each with a question, an image that exists, and what it `needs`.

    Rows that have `answers`, but none to learn, are left out, which is said on stderr.
    Raises FileNotFoundError for missing files, and ValueError for a row that lacks a field, where no row is left, and
    for an `out` that exists, is not a .jsonl file, or is not in the data set's folder.
    """
    if out.suffix != ".jsonl":
        raise ValueError(f"--out {out} is a manifest; name it .jsonl, the other files go beside it")
    check_beside(dataset, out)
    rows = read_rows(dataset, needs=("image", "question", *needs), may_have=("answers",))
    if shard:
        rows = shard_rows(rows, shard)
    check_images(dataset, rows)
    return with_target(dataset, rows)


def seeded(row: dict, box: Sequence[float], seed: dict) -> dict:
    """Returns the row with `box` (in per cent, rounded to two decimals), and with `seed`, which says how it was made.

    A box that the row had before is kept as `true_box`, unless it was a seed box itself.
    """
    true = {} if row.get("box") is None or "seed" in row else {"true_box": row["box"]}
    return {**row, "box": [round(v, 2) for v in box], **true, "seed": seed}


def sort_out(rows: Sequence[dict], with_box: Callable[[int, dict], dict]) -> tuple[list[dict], list[dict]]:
    """Returns the rows with their boxes, and for `write_rejected` those that have none and why.

    `with_box`: a row's index and the row -> the row with its box; raises Rejection where it has none.
    """
    done, rejected = [], []
    for index, row in enumerate(rows):
        try:
            done.append(with_box(index, row))
        except Rejection as why:
            rejected.append({"row": index + 1, "id": row.get("id"), "reason": why.reason, "detail": str(why)})
    return done, rejected


def check_some(done: Sequence[dict], shard: Shard | None, problem: str) -> None:
    """Raises ValueError with `problem` where no row got a box.

    Of a shard that is said on stderr, and its file is written without a row: the other shards may have some.
    """
    if not done and shard is None:
        raise ValueError(problem)
    if not done:
        print(f"WARNING: {problem}", file=sys.stderr)


def write_rejected(out: Path, rejected: Sequence[dict]) -> tuple[Path, str]:
    """Writes the rows without a box to a file beside `out`. Returns its path, and how often each `reason` came."""
    path = out.with_suffix(".rejected.jsonl")
    write_whole(path, to_lines(rejected))
    counts = Counter(row["reason"] for row in rejected).most_common()
    return path, ", ".join(f"{count} {reason}" for reason, count in counts)
