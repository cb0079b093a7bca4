"""Crops around evidence: what a cropper is taught to give, and what a reader is taught to read."""

from __future__ import annotations

import math
from random import Random

from cropvlm_trainer.contract import Box
from cropvlm_trainer.data.page import Rect

MIN_WIDTH, MIN_HEIGHT = 14.0, 10.0
"""Per cent of the page that a taught crop has at least."""
MARGIN = 0.2
"""Room around the evidence, as a share of its own side."""


def taught_region(evidence: Rect) -> Rect:
    """The crop that shows this evidence (per cent in, per cent out): grown, and shifted back into the page."""
    x1, x2 = _grow(evidence[0], evidence[2], MIN_WIDTH, MARGIN)
    y1, y2 = _grow(evidence[1], evidence[3], MIN_HEIGHT, MARGIN)
    return x1, y1, x2, y2


def to_box(rect: Rect) -> Box:
    """Whole per cents, truncated as SFT targets are; always a valid box."""
    x1, y1, x2, y2 = (min(100, max(0, int(v))) for v in rect)
    x1, y1 = min(x1, 99), min(y1, 99)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def around(rect: Rect) -> Box:
    """Whole per cents that hold all of this rectangle; always a valid box."""
    x1, y1 = (min(99, max(0, math.floor(v))) for v in rect[:2])
    x2, y2 = (min(100, math.ceil(v)) for v in rect[2:])
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def reading_region(rng: Random, answer: Rect, evidence: Rect, width: float) -> Rect:
    """A crop to learn reading from, per cent of the page.

    `width` 0 is the bare answer; at 1 it is anything up to 1.4 times the taught region, off its centre; at 2 up to 4
    times, with the answer anywhere in it.
    """
    further = max(0.0, width - 1)
    width = min(1.0, width)
    t = width * rng.random() ** 0.5
    room = 0.15 + 0.5 * width
    tight = _scale(answer, 1.05 + room * rng.random(), 1.15 + 2 * room * rng.random())
    taught = taught_region(evidence)
    scale = rng.uniform(0.9, 1.4 + 2.6 * further)
    wide = _scale(taught, scale, scale * rng.uniform(0.85, 1.15))
    off = 0.15 + 0.25 * further
    shift_x = (taught[2] - taught[0]) * rng.uniform(-off, off) * scale
    shift_y = (taught[3] - taught[1]) * rng.uniform(-off, off) * scale
    wide = (wide[0] + shift_x, wide[1] + shift_y, wide[2] + shift_x, wide[3] + shift_y)
    x1, y1, x2, y2 = (a + (b - a) * t for a, b in zip(tight, wide, strict=True))
    # The answer stays inside: a crop without it teaches guessing.
    x1, y1 = min(x1, answer[0] - 0.3), min(y1, answer[1] - 0.3)
    x2, y2 = max(x2, answer[2] + 0.3), max(y2, answer[3] + 0.3)
    return max(0, x1), max(0, y1), min(100, x2), min(100, y2)


def elsewhere(rng: Random, region: Rect) -> Rect:
    """A region of this size anywhere on the page."""
    width, height = region[2] - region[0], region[3] - region[1]
    x, y = rng.uniform(0, 100 - width), rng.uniform(0, 100 - height)
    return x, y, x + width, y + height


def _grow(low: float, high: float, min_side: float, margin: float) -> tuple[float, float]:
    side = min(100.0, max(min_side, (high - low) * (1 + 2 * margin)))
    start = (low + high - side) / 2
    start = min(max(start, 0.0), 100.0 - side)
    return start, start + side


def _scale(rect: Rect, by_x: float, by_y: float) -> Rect:
    x, y = (rect[0] + rect[2]) / 2, (rect[1] + rect[3]) / 2
    w, h = (rect[2] - rect[0]) / 2 * by_x, (rect[3] - rect[1]) / 2 * by_y
    return x - w, y - h, x + w, y + h
