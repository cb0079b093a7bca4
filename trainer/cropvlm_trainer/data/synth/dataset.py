"""Synthetic pages by number: page `i` of seed `s` is always the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from tqdm import tqdm

from cropvlm_trainer.data.synth import receipt, shapes, table
from cropvlm_trainer.data.synth.page import Page

MAKERS = {"shapes": shapes.make, "receipt": receipt.make, "table": table.make}
WEIGHTS = {"shapes": 2, "receipt": 1, "table": 1}
KINDS = tuple(MAKERS)
HELD_OUT_SEED = 1_000_003
"""Of the pages by which a run is watched; no run trains on them."""


def all_questions() -> list[str]:
    """Every question that a page can ask."""
    named = [f"What number is under the {color} {shape}?" for color in shapes.COLORS for shape in shapes.SHAPES]
    cells = [f"What is in row {row}, column {column}?" for row in range(1, 5) for column in range(1, 5)]
    return [*named, *cells, *receipt.QUESTIONS.values()]


def make_page(
    seed: int,
    index: int,
    kinds: Sequence[str] = KINDS,
    weights: Mapping[str, float] = WEIGHTS,
    most_shapes: int = shapes.MOST,
) -> tuple[Page, Random]:
    """The page, and the generator that drew it for choices that belong to the same page.

    `most_shapes`: how many of its shapes a page of shapes keeps at most.
    """
    rng = Random(f"{seed}/{index}")
    kind = rng.choices(kinds, weights=[weights.get(k, 0) for k in kinds])[0]
    page = shapes.make(rng, most_shapes) if kind == "shapes" else MAKERS[kind](rng)
    rng.shuffle(page.questions)
    return page, rng


def write(out: Path, n: int, seed: int, kinds: Sequence[str] = KINDS, questions_per_page: int = 1) -> None:
    """Writes `manifest.jsonl` and `images/`; a folder that already holds another set is an error."""
    manifest = out / "manifest.jsonl"
    if manifest.exists():
        raise ValueError(f"{manifest} already exists; choose another --out or remove it")
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
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
