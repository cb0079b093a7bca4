"""What a box is, and how boxes grow. Sides are in per cent of the upright image, 0..100, unless it says otherwise.

The text form of a box is the contract's (`contract.py`); how boxes are measured is in `metrics/exact_and_iou.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np

Box = tuple[int, int, int, int]
"""`(x1, y1, x2, y2)` in whole per cent of the upright image, 0..100, x2 > x1 and y2 > y1."""
Rect = tuple[float, float, float, float]
"""`(x1, y1, x2, y2)`, in per cent or in pixels."""

PERCENTILES = (20, 40, 60, 80)
FACTORS = (45.0, 10.0, 4.0, 2.0, 1.0)
"""Of the area: below the 20th percentile, 20-40th, 40-60th, 60-80th, and from the 80th on (paper, Table 3)."""

MIN_WIDTH, MIN_HEIGHT = 14.0, 10.0
"""Per cent of the page that a taught crop has at least."""
MARGIN = 0.2
"""Room around the evidence, as a share of its own side."""


def is_box(box: object) -> bool:
    """Whether this is `[x1, y1, x2, y2]` in 0..100 with x2 > x1 and y2 > y1."""
    numbers = isinstance(box, list | tuple) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= 100 for v in box
    )
    return numbers and len(box) == 4 and box[2] > box[0] and box[3] > box[1]


def check_box(box: object) -> None:
    """Raises ValueError unless `is_box`."""
    if not is_box(box):
        raise ValueError(f"{box} is no box: [x1, y1, x2, y2] in per cent of the image, 0..100, x2 > x1 and y2 > y1")


def to_box(rect: Sequence[float]) -> Box:
    """Whole per cents, truncated as SFT targets are; always a valid box."""
    x1, y1, x2, y2 = (min(100, max(0, int(v))) for v in rect)
    x1, y1 = min(x1, 99), min(y1, 99)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def around(rect: Sequence[float]) -> Box:
    """Whole per cents that hold all of this rectangle; always a valid box."""
    x1, y1 = (min(99, max(0, math.floor(v))) for v in rect[:2])
    x2, y2 = (min(100, math.ceil(v)) for v in rect[2:])
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def grow(box: Sequence[float], factor: float) -> Rect:
    """The box with `factor` times its area and its shape, shifted back inside the image.

    A side that would be longer than the image is as long as the image, so the area then falls short of the factor.
    Raises ValueError for a factor that is not a positive number and for what is no box inside the image.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"a box cannot grow by {factor}: give a positive factor of its area, as 4")
    check_box(box)
    by = math.sqrt(factor)
    x1, x2 = _inside(box[0], box[2], (box[2] - box[0]) * by)
    y1, y2 = _inside(box[1], box[3], (box[3] - box[1]) * by)
    # Not past 100 by the last bit of a float.
    return x1, y1, min(x2, 100.0), min(y2, 100.0)


def growth_factors(areas: Sequence[float]) -> list[float]:
    """The factor of each box's area, by the percentile of its relative area in this set (contract, "Seed boxes" 1).

    Areas may have any unit. A box at a percentile belongs to the band above it, so boxes of one and the same size
    all keep it. The percentiles are numpy's, linear between neighbours. Raises ValueError where there are no areas.
    """
    if not len(areas):
        raise ValueError("no boxes: the percentiles of an empty set are not defined; give a manifest with boxes")
    bounds = np.percentile(np.asarray(areas, dtype=np.float64), PERCENTILES)
    return [FACTORS[int(band)] for band in np.searchsorted(bounds, areas, side="right")]


def expanded(rect: Sequence[float], factor: float) -> Rect:
    """The box with `factor` times the area about the same centre, cut off at the image's edges.

    Raises ValueError for a factor that is not above 0.
    """
    if not factor > 0:
        raise ValueError(f"a box cannot be expanded by {factor:g}; give factors above 0")
    # The area is to grow by the factor, so each side grows by its root.
    x1, y1, x2, y2 = scaled(rect, factor**0.5, factor**0.5)
    return max(0.0, x1), max(0.0, y1), min(100.0, x2), min(100.0, y2)


def widened(box: Sequence[float], n: int, rng: Random) -> Rect:
    """The box with noise from U[0, 100/n] taken from its top-left and added to its bottom-right, clamped to 0..100."""
    noise = [rng.uniform(0, 100 / n) for _ in range(4)]
    x1, y1, x2, y2 = box
    return max(0.0, x1 - noise[0]), max(0.0, y1 - noise[1]), min(100.0, x2 + noise[2]), min(100.0, y2 + noise[3])


def taught_region(evidence: Sequence[float]) -> Rect:
    """The crop that shows this evidence: grown to its margin and least size, and shifted back into the page."""
    by = 1 + 2 * MARGIN
    x1, x2 = _inside(evidence[0], evidence[2], max(MIN_WIDTH, (evidence[2] - evidence[0]) * by))
    y1, y2 = _inside(evidence[1], evidence[3], max(MIN_HEIGHT, (evidence[3] - evidence[1]) * by))
    return x1, y1, x2, y2


def scaled(rect: Sequence[float], by_x: float, by_y: float) -> Rect:
    """The rectangle with its sides times these factors, about its centre, even where it leaves the image."""
    x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    w, h = (rect[2] - rect[0]) / 2 * by_x, (rect[3] - rect[1]) / 2 * by_y
    return x - w, y - h, x + w, y + h


def _inside(low: float, high: float, side: float) -> tuple[float, float]:
    """A side of this length (the image's at most) about the same centre, shifted back inside the image."""
    side = min(100.0, side)
    start = min(max((low + high - side) / 2, 0.0), 100.0 - side)
    return start, start + side
