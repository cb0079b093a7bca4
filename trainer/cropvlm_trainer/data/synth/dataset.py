"""Synthetic pages by seed and number; the same seed and number always give the same page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from tqdm import tqdm

from cropvlm_trainer.data.synth import receipt, shapes, table
from cropvlm_trainer.data.synth.page import Page
from cropvlm_trainer.files import to_lines, write_whole
from cropvlm_trainer.rows import DATASET

MAKERS = {"shapes": shapes.make, "receipt": receipt.make, "table": table.make}
WEIGHTS = {"shapes": 2, "receipt": 1, "table": 1}
"""How often each kind of page is drawn, relative to the others."""
KINDS = tuple(MAKERS)
HELD_OUT_SEED = 1_000_003
"""The seed of the pages on which `pretrain` measures its progress, and on which it does not train."""


def all_questions() -> list[str]:
    """Returns every question that a synthetic page can have."""
    named = [shapes.question_about(color, shape) for color in shapes.COLORS for shape in shapes.SHAPES]
    lines = range(1, table.MAX_LINES + 1)
    cells = [table.question_about(row, column) for row in lines for column in lines]
    return [*named, *cells, *receipt.QUESTIONS.values()]


def make_page(
    seed: int,
    index: int,
    kinds: Sequence[str] = KINDS,
    weights: Mapping[str, float] = WEIGHTS,
    max_shapes: int = shapes.MAX_SHAPES,
) -> tuple[Page, Random]:
    """Returns page number `index` of a seed, and its random generator, for further random choices about this page.

    `weights`: how often each of `kinds` is drawn. `max_shapes`: a page of shapes has only its first ones up to this.
    """
    rng = Random(f"{seed}/{index}")
    kind = rng.choices(kinds, weights=[weights.get(k, 0) for k in kinds])[0]
    page = shapes.make(rng, max_shapes) if kind == "shapes" else MAKERS[kind](rng)
    rng.shuffle(page.questions)
    return page, rng


def write(out: Path, n: int, seed: int, kinds: Sequence[str] = KINDS, questions_per_page: int = 1) -> None:
    """Writes a data set of `n` pages into the folder `out`: `manifest.jsonl` and `images/`.

    Raises ValueError where the folder already holds a data set.
    """
    dataset = out / DATASET
    if dataset.exists():
        raise ValueError(f"{dataset} already exists; choose another --out or remove it")
    (out / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for index in tqdm(range(n), desc="pages", unit="page"):
        page, _ = make_page(seed, index, kinds)
        name = f"images/{index:06d}.png"
        page.image.save(out / name)
        for number, question in enumerate(page.questions[:questions_per_page]):
            rows.append(
                {
                    "id": f"synth-{seed}-{index:06d}-{number}",
                    "kind": page.kind,
                    "image": name,
                    "question": question.text,
                    "answers": [question.answer],
                    "box": [round(v, 2) for v in page.to_percent(question.evidence_rect)],
                }
            )
    write_whole(dataset, to_lines(rows))
