"""`data split`: divides a data set by image into two halves, so that GRPO sees no image that SFT has seen."""

from __future__ import annotations

import json
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


def split(data: Path, seed: int, share: float) -> None:
    """Writes `sft.jsonl` and `grpo.jsonl` beside the data set in the folder `data`.

    Raises ValueError where another split exists there.
    """
    sft, grpo = divide(read_rows(data / DATASET, needs=("image",)), seed, share)
    halves = {data / SFT: to_lines(sft), data / GRPO: to_lines(grpo)}
    for path, content in halves.items():
        # If it were overwritten, GRPO could get images that an existing cropper was trained on.
        if path.exists() and path.read_bytes() != content:
            raise ValueError(f"{path} holds another split; remove {SFT} and {GRPO}, or give their --seed and --share")
    for path, content in halves.items():
        write_whole(path, content)
    for name, half in ((SFT, sft), (GRPO, grpo)):
        print(f"{data / name}: {len(half)} questions on {len({row['image'] for row in half})} images")
