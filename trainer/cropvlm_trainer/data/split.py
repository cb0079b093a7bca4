"""`data split`: a manifest in two, image by image, so that GRPO never sees an image of SFT's."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from cropvlm_trainer.rows import read_rows, to_lines, write_whole

SFT, GRPO = "sft.jsonl", "grpo.jsonl"


def divide(rows: list[dict], seed: int, share: float) -> tuple[list[dict], list[dict]]:
    """Rows for SFT and for GRPO: SFT has `share` of the questions, or over it by less than one image's questions.

    Images go in the order of a seeded hash of their path, and with them the rows, so neither the halves nor their
    order depend on the order of `rows`. The path stands for the image: `data build` names images by content.
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
    """Writes `sft.jsonl` and `grpo.jsonl` beside `manifest.jsonl`; another split that is there is an error."""
    sft, grpo = divide(read_rows(data / "manifest.jsonl", needs=("image",)), seed, share)
    halves = {data / SFT: to_lines(sft), data / GRPO: to_lines(grpo)}
    for path, content in halves.items():
        # Overwriting it could give GRPO the images on which a cropper has been trained already.
        if path.exists() and path.read_bytes() != content:
            raise ValueError(f"{path} holds another split; remove {SFT} and {GRPO}, or give their --seed and --share")
    for path, content in halves.items():
        write_whole(path, content)
    for name, half in ((SFT, sft), (GRPO, grpo)):
        print(f"{data / name}: {len(half)} questions on {len({row['image'] for row in half})} images")
