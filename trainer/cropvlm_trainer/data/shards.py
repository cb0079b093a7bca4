"""Seed boxes in shards, for several machines: each takes some of the images, and `data merge` puts them together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from cropvlm_trainer.files import read_lines, to_lines, write_whole
from cropvlm_trainer.rows import check_beside, read_rows, target_votes

Shard = tuple[int, int]
"""The number of a shard, from 1, and how many there are."""


def parse_shard(text: str) -> Shard:
    """Parses `2/4`. Raises ValueError for anything else, and for a number that is not in 1..n."""
    match = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise ValueError(f"--shard {text}: give the shard's number and how many there are, as 1/4")
    return int(match[1]), int(match[2])


def shard_rows(rows: Sequence[dict], shard: Shard) -> list[dict]:
    """Returns the rows of a shard, in order: every n-th image in the order in which they first come, with all its rows.

    Raises ValueError where the shard has no image.
    """
    number, count = shard
    images = set(list(dict.fromkeys(row["image"] for row in rows))[number - 1 :: count])
    if not images:
        raise ValueError(f"--shard {number}/{count} has no image: the manifest has fewer than {number}; ask for fewer")
    return [row for row in rows if row["image"] in images]


def merge_shards(dataset: Path, parts: Sequence[Path], out: Path) -> None:
    """Writes the rows of all `parts` to `out`, in the order of `dataset`, of which they are the shards.

    A row may be missing only where a part's `.rejected.jsonl` names it, or where it has no answer to learn.
    Raises ValueError for rows that are missing, are in two parts, or are not of `dataset`, and for an `out` that exists
    or is not in its folder.
    """
    check_beside(dataset, out)
    found: dict[str, dict] = {}
    rejected: set[str] = set()
    for part in parts:
        for row in read_rows(part, needs=("id", "box")):
            if row["id"] in found:
                raise ValueError(f"{part} has the row {row['id']} of another part; give each shard once")
            found[row["id"]] = row
        beside = part.with_suffix(".rejected.jsonl")
        rejected |= {row["id"] for row in read_lines(beside)} if beside.exists() else set()
    wanted = read_rows(dataset, needs=("id",))
    strange = set(found) - {row["id"] for row in wanted}
    if strange:
        raise ValueError(f"{len(strange)} rows of the parts are not in {dataset}, as {min(strange)}; name their own")
    missing = [row["id"] for row in wanted if row["id"] not in found.keys() | rejected and _has_target(row)]
    if missing:
        raise ValueError(
            f"{len(missing)} rows of {dataset} are in none of the {len(parts)} parts, as {missing[0]}; give every shard"
        )
    write_whole(out, to_lines(found[row["id"]] for row in wanted if row["id"] in found))
    print(f"{out}: {len(found)} of {len(wanted)} rows have a box")


def _has_target(row: dict) -> bool:
    return "answers" not in row or bool(target_votes(row["answers"]))
