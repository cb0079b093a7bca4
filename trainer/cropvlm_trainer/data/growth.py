"""Boxes grown about their centre: by one factor, or by where a box's area stands in its set."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cropvlm_trainer.data.page import Rect

PERCENTILES = (20, 40, 60, 80)
FACTORS = (45.0, 10.0, 4.0, 2.0, 1.0)
"""Of the area: below the 20th percentile, 20-40th, 40-60th, 60-80th, and from the 80th on (paper, Table 3)."""


def grow(box: Sequence[float], factor: float) -> Rect:
    """The box (per cent) with `factor` times its area and its shape, shifted back inside the image.

    A side that would be longer than the image is as long as the image, so the area then falls short of the factor.
    Raises ValueError for a factor that is not a positive number and for what is no box inside the image.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ValueError(f"a box cannot grow by {factor}: give a positive factor of its area, as 4")
    check_box(box)
    x1, x2 = _grow_side(box[0], box[2], math.sqrt(factor))
    y1, y2 = _grow_side(box[1], box[3], math.sqrt(factor))
    return x1, y1, x2, y2


def growth_factors(areas: Sequence[float]) -> list[float]:
    """The factor of each box's area, by the percentile of its relative area in this set (contract, "Seed boxes" 1).

    Areas may have any unit. A box at a percentile belongs to the band above it, so boxes of one and the same size
    all keep it. The percentiles are numpy's, linear between neighbours. Raises ValueError where there are no areas.
    """
    if not len(areas):
        raise ValueError("no boxes: the percentiles of an empty set are not defined; give a manifest with boxes")
    bounds = np.percentile(np.asarray(areas, dtype=np.float64), PERCENTILES)
    return [FACTORS[int(band)] for band in np.searchsorted(bounds, areas, side="right")]


def check_box(box: Sequence[float]) -> None:
    """Raises ValueError unless this is `[x1, y1, x2, y2]` in 0..100 with x2 > x1 and y2 > y1."""
    numbers = isinstance(box, list | tuple) and all(
        isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= 100 for v in box
    )
    if not numbers or len(box) != 4 or box[2] <= box[0] or box[3] <= box[1]:
        raise ValueError(f"{box} is no box: [x1, y1, x2, y2] in per cent of the image, 0..100, x2 > x1 and y2 > y1")


def _grow_side(low: float, high: float, by: float) -> tuple[float, float]:
    side = min(100.0, (high - low) * by)
    start = min(max((low + high - side) / 2, 0.0), 100.0 - side)
    # Not past 100 by the last bit of a float.
    return start, min(start + side, 100.0)
