"""The boxes that an evaluation compares with the cropper's: true, random, and human boxes grown or shrunk."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from cropvlm_trainer.boxes import Box, Rect, expanded, taught_region, to_box

Cropping = Sequence[Rect | None]
"""A box in per cent for each row. None where the cropper gave no valid box; the crop is then the whole image."""


def reference_croppings(rows: Sequence[dict], seed: int) -> dict[str, Cropping]:
    """Returns the true boxes, grown as croppers are taught to do, and boxes of the same sizes at random places.

    Every row must have a `box`.
    """
    rng = Random(seed)
    true = with_margin([row["box"] for row in rows])
    return {"true box": true, "random box": [moved(rng, box) for box in true]}


def with_margin(boxes: Cropping) -> Cropping:
    """Returns the boxes grown as croppers are taught to do; where there is none, there is none."""
    return [None if box is None else to_box(taught_region(box)) for box in boxes]


def expanded_croppings(rows: Sequence[dict], factors: Sequence[float]) -> dict[str, Cropping]:
    """Returns the rows' own boxes at each of these multiples of their area (paper, Appendix G)."""
    return {expanded_name(factor): [expanded(row["box"], factor) for row in rows] for factor in factors}


def expanded_name(factor: float) -> str:
    """Returns what the cropping with this factor is called in reports."""
    return f"own box x {factor:g}"


def moved(rng: Random, box: Box) -> Box:
    """Returns a box of the same size at a random place on the page."""
    w, h = box[2] - box[0], box[3] - box[1]
    x, y = rng.randint(0, 100 - w), rng.randint(0, 100 - h)
    return x, y, x + w, y + h
