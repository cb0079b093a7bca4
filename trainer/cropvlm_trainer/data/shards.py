"""Seed boxes in shards, for several machines: each takes some of the images, and `merge_shards` puts them together."""

from __future__ import annotations

import re
from collections.abc import Sequence

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
