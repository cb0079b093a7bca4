"""The rows that get seed boxes, and what becomes of a row that has one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cropvlm_trainer.data.manifest import check_beside, read_rows


def seedable_rows(manifest: Path, out: Path) -> list[dict]:
    """The rows of `manifest`, each with a question and an image that is there; boxes are not needed.

    Raises FileNotFoundError where files lack, and ValueError for a row that cannot be asked about and for an `out`
    that exists, is no .jsonl, or lies in another folder, where image paths would not hold.
    """
    if out.suffix != ".jsonl":
        raise ValueError(f"--out {out} is a manifest; name it .jsonl, the other files go beside it")
    check_beside(manifest, out)
    rows = read_rows(manifest)
    for number, row in enumerate(rows, start=1):
        for key in ("image", "question"):
            if not isinstance(row.get(key), str) or not row[key].strip():
                raise ValueError(f"row {number} of {manifest} has no {key}; give it one or remove the row")
    missing = sorted({row["image"] for row in rows if not (manifest.parent / row["image"]).is_file()})
    if missing:
        raise FileNotFoundError(
            f"{manifest.parent} lacks {len(missing)} images of {manifest.name}, first {missing[0]}; put them back, or "
            "write the set anew with `cropvlm-train data build`"
        )
    return rows


def seeded(row: dict, box: Sequence[float], seed: dict) -> dict:
    """The row with this box (per cent, to two decimals); a box it had before, unless a seed too, is `true_box`.

    `seed` says how the box was made.
    """
    true = {} if row.get("box") is None or "seed" in row else {"true_box": row["box"]}
    return {**row, "box": [round(v, 2) for v in box], **true, "seed": seed}
