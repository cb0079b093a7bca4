"""`data split`: divides a data set by image into two halves, so that GRPO sees no image that SFT has seen.

Or into the parts that its rows name, as a data set that comes with its own training and development part does.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

from cropvlm_trainer.files import to_lines, write_whole
from cropvlm_trainer.rows import DATASET, read_rows

SFT, GRPO = "sft.jsonl", "grpo.jsonl"


def divide(rows: list[dict], seed: int, share: float) -> tuple[list[dict], list[dict]]:
    """Returns the rows for SFT and those for GRPO. SFT gets `share` of the rows, rounded up to whole images.

    Images are ordered by a seeded hash of their paths, and rows follow their images, so that neither the halves nor
    the order in them depend on the order of `rows`. `data build` names images by content, so each image has one path.
    Raises ValueError for a share that leaves a half empty.
    """
    if not 0 < share < 1:
        raise ValueError(f"--share {share}: give a number between 0 and 1, as 0.5")
    by_image: dict[str, list[dict]] = {}
    for row in rows:
        by_image.setdefault(row["image"], []).append(row)
    sft: list[dict] = []
    grpo: list[dict] = []
    for image in sorted(by_image, key=lambda image: sha256(f"{seed}/{image}".encode()).digest()):
        half = sft if len(sft) < share * len(rows) else grpo
        half += sorted(by_image[image], key=lambda row: json.dumps(row, sort_keys=True))
    if not grpo:
        raise ValueError(f"--share {share} of {len(by_image)} images leaves none for GRPO: lower it, or add images")
    return sft, grpo


def parts_by(rows: list[dict], key: str) -> dict[str, list[dict]]:
    """Returns the rows of each value of the field `key`, in their order.

    Raises ValueError where a row's value cannot name a file, where an image has rows in two parts, and where all rows
    are in one.
    """
    parts: dict[str, list[dict]] = {}
    part_of: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        value = row.get(key)
        if not isinstance(value, str) or not re.fullmatch(r"[\w-]{1,64}", value):
            raise ValueError(
                f"row {number} has {value!r} as its {key!r}; --by needs a field that names each row's part in letters, "
                'digits, - and _, as "train"'
            )
        if part_of.setdefault(row["image"], value) != value:
            raise ValueError(
                f"{row['image']} is in the parts {part_of[row['image']]} and {value} (row {number}): what is learnt "
                "from it in one would be measured in the other; give all its rows one part"
            )
        parts.setdefault(value, []).append(row)
    if len(parts) < 2:
        raise ValueError(f"all rows have the {key!r} {next(iter(parts), None)!r}, so there is nothing to divide by it")
    return parts


def split(data: Path, seed: int, share: float) -> None:
    """Writes `sft.jsonl` and `grpo.jsonl` beside the data set in the folder `data`.

    Raises ValueError where another split exists there.
    """
    sft, grpo = divide(read_rows(data / DATASET, needs=("image",)), seed, share)
    # If it were overwritten, GRPO could get images that an existing cropper was trained on.
    _write(data, {SFT: sft, GRPO: grpo}, f"remove {SFT} and {GRPO}, or give their --seed and --share")


def split_by(data: Path, key: str) -> None:
    """Writes the rows of each value of the field `key` beside the data set in the folder `data`, as `train.jsonl`.

    Raises as `parts_by`, and ValueError where another split exists there.
    """
    parts = parts_by(read_rows(data / DATASET, needs=("image",)), key)
    names = {f"{value}.jsonl": rows for value, rows in parts.items()}
    if DATASET in names:
        raise ValueError(f"a part is named as the data set itself, {DATASET}; rename it in the field {key!r}")
    _write(data, names, f"remove {' and '.join(names)}")


def _write(data: Path, parts: dict[str, list[dict]], remedy: str) -> None:
    contents = {data / name: to_lines(rows) for name, rows in parts.items()}
    for path, content in contents.items():
        if path.exists() and path.read_bytes() != content:
            raise ValueError(f"{path} holds another split; {remedy}")
    for path, content in contents.items():
        write_whole(path, content)
    for name, rows in parts.items():
        print(f"{data / name}: {len(rows)} questions on {len({row['image'] for row in rows})} images")
