"""What a box is, and the ways in which boxes are made larger.

Coordinates are in per cent of the upright image, 0..100, unless a comment says otherwise. The text form of a box is in
`cropvlm_trainer.contract`, the measures of boxes are in `metrics/exact_and_iou.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np

Box = tuple[int, int, int, int]
"""`(x1, y1, x2, y2)` in whole per cent of the upright image, 0..100, with x2 > x1 and y2 > y1."""
Rect = tuple[float, float, float, float]
"""`(x1, y1, x2, y2)`, in per cent or in pixels."""
WHOLE: Box = (0, 0, 100, 100)
"""The box that stands in where there is none: the whole image, as in the service."""

PERCENTILES = (20, 40, 60, 80)
FACTORS = (45.0, 10.0, 4.0, 2.0, 1.0)
"""Factors of the area for boxes below the 20th percentile, in 20-40, 40-60, 60-80, and from 80 on (paper, Table 3)."""

PRINTED_AREAS = (0.16, 0.38, 0.91, 3.51)
"""The percentiles of the paper's own set, in per cent of the image's area (Table 3)."""

MIN_WIDTH, MIN_HEIGHT = 14.0, 10.0
"""The smallest sides of a crop that a cropper is taught to give, in per cent of the page."""
MARGIN = 0.2
"""The space that such a crop has on each side of the evidence, as a share of the evidence's own side."""


def is_box(box: object) -> bool:
    """Whether this is a list or tuple `[x1, y1, x2, y2]` of numbers in 0..100 with x2 > x1 and y2 > y1."""
    numbers = isinstance(box, list | tuple) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= 100 for v in box
    )
    return numbers and len(box) == 4 and box[2] > box[0] and box[3] > box[1]


def check_box(box: object) -> None:
    """Raises ValueError unless `is_box(box)`."""
    if not is_box(box):
        raise ValueError(f"{box} is no box: [x1, y1, x2, y2] in per cent of the image, 0..100, x2 > x1 and y2 > y1")


def to_box(rect: Sequence[float]) -> Box:
    """Returns the rectangle in whole per cent, truncated as the boxes of SFT are; the result is always a valid box."""
    x1, y1, x2, y2 = (min(100, max(0, int(v))) for v in rect)
    x1, y1 = min(x1, 99), min(y1, 99)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def around(rect: Sequence[float]) -> Box:
    """Returns the smallest box in whole per cent that contains the rectangle; the result is always a valid box."""
    x1, y1 = (min(99, max(0, math.floor(v))) for v in rect[:2])
    x2, y2 = (min(100, math.ceil(v)) for v in rect[2:])
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def grow(box: Sequence[float], factor: float) -> Rect:
    """Returns a box of the same shape with `factor` times the area, shifted back into the image.

    A side never becomes longer than the image, so the area may grow by less than the factor.
    Raises ValueError for a factor that is not a positive number, and for a `box` that is not a box inside the image.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"a box cannot grow by {factor}: give a positive factor of its area, as 4")
    check_box(box)
    by = math.sqrt(factor)
    x1, x2 = _inside(box[0], box[2], (box[2] - box[0]) * by)
    y1, y2 = _inside(box[1], box[3], (box[3] - box[1]) * by)
    # The sums may exceed 100 in the last bit.
    return x1, y1, min(x2, 100.0), min(y2, 100.0)


def growth_factors(areas: Sequence[float]) -> list[float]:
    """Returns the factor by which each box's area grows, by its percentile in this set (paper, Table 3).

    Areas may have any unit. An area that equals a percentile belongs to the band above it, so that boxes that all
    have the same area do not grow. Percentiles are numpy's, interpolated linearly. Raises ValueError for no areas.
    """
    if not len(areas):
        raise ValueError("no boxes: the percentiles of an empty set are not defined; give a manifest with boxes")
    bounds = np.percentile(np.asarray(areas, dtype=np.float64), PERCENTILES)
    return [FACTORS[int(band)] for band in np.searchsorted(bounds, areas, side="right")]


def printed_factors(areas: Sequence[float]) -> list[float]:
    """Returns the factor by which each box's area grows, with `PRINTED_AREAS` as the bounds instead of percentiles.

    Areas are in per cent of the image's. An area that equals a bound belongs to the band above it, as in the service's
    `src/cropper/dialects/growth.ts`.
    """
    return [FACTORS[int(band)] for band in np.searchsorted(PRINTED_AREAS, areas, side="right")]


def expanded(rect: Sequence[float], factor: float) -> Rect:
    """Returns the box with `factor` times the area about the same centre, cut off at the image's edges (Appendix G).

    The result is not rounded: the service's `expand` then takes the whole per cents `around` it.

    Raises ValueError for a factor that is not above 0.
    """
    if not factor > 0:
        raise ValueError(f"a box cannot be expanded by {factor:g}; give factors above 0")
    # The area grows by the factor, so each side grows by the factor's square root.
    x1, y1, x2, y2 = scaled(rect, factor**0.5, factor**0.5)
    return max(0.0, x1), max(0.0, y1), min(100.0, x2), min(100.0, y2)


def widened(box: Sequence[float], n: int, rng: Random) -> Rect:
    """Returns the box with noise from U[0, 100/n] subtracted from its top left and added to its bottom right.

    The result is clamped to 0..100. `n` is the number of the grid's cells a side (paper, Appendix E).
    """
    noise = [rng.uniform(0, 100 / n) for _ in range(4)]
    x1, y1, x2, y2 = box
    return max(0.0, x1 - noise[0]), max(0.0, y1 - noise[1]), min(100.0, x2 + noise[2]), min(100.0, y2 + noise[3])


def taught_region(evidence: Sequence[float]) -> Rect:
    """Returns the crop that a cropper is taught to give for this evidence, the rectangle that shows the answer.

    It has `MARGIN` on each side, is at least `MIN_WIDTH` by `MIN_HEIGHT`, and is shifted back into the page.
    """
    by = 1 + 2 * MARGIN
    x1, x2 = _inside(evidence[0], evidence[2], max(MIN_WIDTH, (evidence[2] - evidence[0]) * by))
    y1, y2 = _inside(evidence[1], evidence[3], max(MIN_HEIGHT, (evidence[3] - evidence[1]) * by))
    return x1, y1, x2, y2


def scaled(rect: Sequence[float], by_x: float, by_y: float) -> Rect:
    """Returns the rectangle with its sides multiplied by these factors, about its centre; it may leave the image."""
    x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    w, h = (rect[2] - rect[0]) / 2 * by_x, (rect[3] - rect[1]) / 2 * by_y
    return x - w, y - h, x + w, y + h


def _inside(low: float, high: float, side: float) -> tuple[float, float]:
    """Returns the start and end of a side about the centre of `low` and `high`, shifted back into the image.

    The side has the length `side`, or the image's where that is shorter.
    """
    side = min(100.0, side)
    start = min(max((low + high - side) / 2, 0.0), 100.0 - side)
    return start, start + side
