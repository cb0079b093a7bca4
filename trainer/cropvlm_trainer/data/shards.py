"""Seed boxes in shards, for several machines: each takes some of the images, and `data merge` puts them together."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.files import read_lines, to_line, to_lines, write_whole
from cropvlm_trainer.rows import check_beside, has_target, read_rows

Shard = tuple[int, int]
"""The number of a shard, from 1, and how many there are."""


LABEL = "label"
"""The `kind` of rows that ask for a label, as text seeding adds them."""


def label_id(image: str, number: int | str) -> str:
    """Returns the id of the row about an image's label of this number."""
    return f"{image}#{LABEL}-{number}"


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


def texts_beside(seeds: Path) -> Path:
    """Returns the path of the file in which the text of the pictures of a data set's seeds is kept."""
    return seeds.with_suffix(".text.jsonl")


def merge_shards(dataset: Path, parts: Sequence[Path], out: Path) -> None:
    """Writes the rows of all `parts` to `out`, in the order of `dataset`, of which they are the shards.

    Behind them come the rows about labels that `data seed --method text --labels` added, in the order of their images.
    The pictures' texts, which that method keeps beside each part, are put together beside `out`.
    A row may be missing only where a part's `.rejected.jsonl` names it, or where it has no answer to learn.
    Raises ValueError for rows that are missing, are in two parts, or are not of `dataset`, for an `out` that exists or
    is not in its folder, and where only some parts have the texts of their pictures beside them.
    """
    check_beside(dataset, out)
    found: dict[str, dict] = {}
    rejected: set[str] = set()
    for part in parts:
        for row in _rows_with_boxes(part):
            if row["id"] in found:
                raise ValueError(f"{part} has the row {row['id']} of another part; give each shard once")
            found[row["id"]] = row
        beside = part.with_suffix(".rejected.jsonl")
        rejected |= {row["id"] for row in read_lines(beside)} if beside.exists() else set()
    wanted = read_rows(dataset, needs=("id", "image"))
    images = list(dict.fromkeys(row["image"] for row in wanted if has_target(row)))
    known = {row["id"] for row in wanted}
    labels = {name: row for name, row in found.items() if name not in known and _is_added(row, images)}
    if strange := found.keys() - known - labels.keys():
        raise ValueError(f"{len(strange)} rows of the parts are not in {dataset}, as {min(strange)}; name their own")
    done = found.keys() | rejected
    missing = [row["id"] for row in wanted if row["id"] not in done and has_target(row)]
    if missing:
        raise ValueError(
            f"{len(missing)} rows of {dataset} are in none of the {len(parts)} parts, as {missing[0]}; give every shard"
        )
    if not found:
        raise ValueError(f"none of the {len(parts)} parts has a row with a box; there is nothing to merge")
    place = {image: number for number, image in enumerate(images)}
    rows = [found[row["id"]] for row in wanted if row["id"] in found]
    # The rows about an image are in one part, whose order the sort keeps.
    rows += sorted(labels.values(), key=lambda row: place[row["image"]])
    _merge_texts(parts, out)
    write_whole(out, to_lines(rows))
    more = f", and {len(labels)} about labels" if labels else ""
    print(f"{out}: {len(rows) - len(labels)} of {len(wanted)} rows have a box{more}")


def _rows_with_boxes(part: Path) -> list[dict]:
    """Returns a shard's rows. Its file is empty where none of them got a box."""
    return [] if part.is_file() and part.stat().st_size == 0 else read_rows(part, needs=("id", "box"))


def _is_added(row: dict, images: Collection[str]) -> bool:
    """Whether text seeding has added this row, about a label of one of these images."""
    image, number = row.get("image"), row["id"].rpartition("-")[2]
    return row.get("kind") == LABEL and image in images and row["id"] == label_id(image, number)


def _merge_texts(parts: Sequence[Path], out: Path) -> None:
    """Writes the texts of all parts' pictures beside `out`, with those that are there; nothing where no part has any.

    Raises ValueError where only some parts have theirs.
    """
    files = [texts_beside(part) for part in parts]
    lacking = [file for file in files if not file.exists()]
    if len(lacking) == len(files):
        return
    if lacking:
        raise ValueError(
            f"{lacking[0]} is not there, though other parts have the texts of their pictures beside them; put it there"
        )
    texts: dict[str, str] = {}
    for file in (texts_beside(out), *files):
        texts |= AnswerCache(file).answers
    write_whole(texts_beside(out), "".join(to_line({"key": k, "answer": t}) for k, t in texts.items()).encode())
