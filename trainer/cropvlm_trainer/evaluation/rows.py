"""The rows that an evaluation scores."""

from __future__ import annotations

from pathlib import Path

from cropvlm_trainer.metrics.own_measure import check_scored
from cropvlm_trainer.rows import DATASET, read_rows

UNNAMED = "no source"


def scored_rows(data: Path, limit: int | None) -> list[dict]:
    """Returns the first `limit` rows of the data set in the folder `data`, or all of them, checked.

    Each row has `image`, `question`, `answers` and `kind` ("page" where the data set has none), and `box` (per cent of
    the upright image) and `source` where the data set has them. A row of multiple choice has `options`, a list of texts
    with letters from A on, unless its question lists them; its `answers` hold the right option's letter or text.
    Raises FileNotFoundError without a data set, and ValueError for one without rows or a row that cannot be scored.
    """
    path = data / DATASET
    rows = read_rows(path, needs=("image", "question", "answers"), may_have=("box",), limit=limit)
    rows = [{"kind": "page", **row} for row in rows]
    for number, row in enumerate(rows, start=1):
        try:
            check_scored(row)
        except ValueError as error:
            raise ValueError(f"row {number} of {path}: {error}") from error
    return rows


def source_of(row: dict) -> str:
    """Returns the row's source, or `UNNAMED`."""
    return row.get("source") or UNNAMED
