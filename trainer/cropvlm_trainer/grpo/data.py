"""What GRPO learns from: a manifest's questions and answers."""

from __future__ import annotations

from pathlib import Path

from cropvlm_trainer.rows import check_images, read_rows


def read_questions(manifest: Path) -> list[dict]:
    """The rows, each with `id`, `image`, `question` and `answers`; boxes are not looked at but to be drawn.

    Raises ValueError, with its number, for a row that lacks one, FileNotFoundError for an image that is not there.
    """
    rows = read_rows(manifest, needs=("id", "image", "question", "answers"))
    check_images(manifest, rows)
    return rows
