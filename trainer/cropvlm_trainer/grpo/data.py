"""What GRPO learns from: a manifest's questions and answers."""

from __future__ import annotations

from pathlib import Path

from cropvlm_trainer.data.manifest import read_rows


def read_questions(manifest: Path) -> list[dict]:
    """The rows, each with `id`, `image`, `question` and `answers`; boxes are not looked at but to be drawn.

    Raises ValueError, with its number, for a row that lacks one, FileNotFoundError for an image that is not there:
    now, rather than hours into a run.
    """
    rows, seen = read_rows(manifest), set()
    for number, row in enumerate(rows, start=1):
        for key in ("id", "image", "question"):
            if not isinstance(row.get(key), str) or not row[key]:
                raise ValueError(f"row {number} of {manifest} has no {key}; mend or remove it")
        answers = row.get("answers")
        if not isinstance(answers, list) or not answers or not all(isinstance(text, str) for text in answers):
            raise ValueError(f"row {number} of {manifest} has no answers, a list of texts; mend or remove it")
        if row["image"] not in seen and not (manifest.parent / row["image"]).is_file():
            raise FileNotFoundError(f"row {number} of {manifest} needs {manifest.parent / row['image']}: put it there")
        seen.add(row["image"])
    return rows
