"""The rows that get seed boxes, and what becomes of a row that has one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cropvlm_trainer.rows import check_beside, check_images, read_rows


def seedable_rows(manifest: Path, out: Path, needs: Sequence[str] = ()) -> list[dict]:
    """The rows of `manifest`, each with a question, an image that is there, and the further fields that it `needs`.

    Raises FileNotFoundError where files lack, and ValueError for a row that cannot be asked about and for an `out`
    that exists, is no .jsonl, or lies in another folder, where image paths would not hold.
    """
    if out.suffix != ".jsonl":
        raise ValueError(f"--out {out} is a manifest; name it .jsonl, the other files go beside it")
    check_beside(manifest, out)
    rows = read_rows(manifest, needs=("image", "question", *needs))
    check_images(manifest, rows)
    return rows


def seeded(row: dict, box: Sequence[float], seed: dict) -> dict:
    """The row with this box (per cent, to two decimals); a box it had before, unless a seed too, is `true_box`.

    `seed` says how the box was made.
    """
    true = {} if row.get("box") is None or "seed" in row else {"true_box": row["box"]}
    return {**row, "box": [round(v, 2) for v in box], **true, "seed": seed}
