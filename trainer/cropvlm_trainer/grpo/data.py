"""The rows that GRPO trains on: a manifest's questions with their images and answers."""

from __future__ import annotations

from pathlib import Path

from cropvlm_trainer.metrics.own_measure import check_scored
from cropvlm_trainer.rows import check_images, read_rows, with_target


def read_training_rows(manifest: Path, is_measured: bool = False) -> list[dict]:
    """The rows that have an answer to learn: `id`, `image` (a path relative to the manifest), `question`, `answers`.

    A row may have a `box`. GRPO does not train on it; it is drawn into the sample pictures.

    `is_measured`: whether answers are scored by the measure of each row's data set.
    Raises ValueError, which names the row by its number, where one of the four fields is missing or malformed, and
    where answers cannot be scored so; FileNotFoundError where an image is missing.
    """
    rows = read_rows(manifest, needs=("id", "image", "question", "answers"))
    check_images(manifest, rows)
    for number, row in enumerate(rows if is_measured else (), start=1):
        try:
            check_scored(row)
        except ValueError as error:
            raise ValueError(f"row {number} of {manifest}: {error}") from error
    return with_target(manifest, rows)
