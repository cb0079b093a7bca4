"""Crops around an answer, from which a model is taught to read. All in per cent of the page."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.boxes import Rect, scaled, taught_region

MIN_MARGIN = 0.3
"""Per cent of the page that a crop extends beyond the answer at least."""
TIGHT_UNTIL, WIDE_FROM, WIDEST_FROM = 0.2, 0.5, 0.6
"""Shares of a run: crops are bare answers until the first, as wide as a good cropper's from the second, and up to
four times as wide from the third. A reward VLM that has read good crops alone cannot tell a bad crop from a worse one
(LOG.md)."""


def crop_width(step: int, steps: int) -> float:
    """How wide the crops of step number `step` (from 0) of a run of `steps` get, 0 to 2, as `reading_region` has it."""
    share = step / steps
    if share < WIDE_FROM:
        return max(0.0, (share - TIGHT_UNTIL) / (WIDE_FROM - TIGHT_UNTIL))
    return min(2.0, 1 + (share - WIDE_FROM) / (WIDEST_FROM - WIDE_FROM))


def reading_region(rng: Random, answer: Rect, evidence: Rect, width: float) -> Rect:
    """Draws a crop that holds the answer.

    `width`: how wide crops get. At 0 a crop is the bare answer with a little room. Up to 1 it is anything between that
    and 0.9 to 1.4 times the region that a cropper is taught (`boxes.taught_region` of the evidence), off its centre.
    Up to 2 it grows to 4 times that region, with the answer anywhere in it.
    """
    further = max(0.0, width - 1)
    width = min(1.0, width)
    share = width * rng.random() ** 0.5
    room = 0.15 + 0.5 * width
    tight = scaled(answer, 1.05 + room * rng.random(), 1.15 + 2 * room * rng.random())
    taught = taught_region(evidence)
    scale = rng.uniform(0.9, 1.4 + 2.6 * further)
    wide = scaled(taught, scale, scale * rng.uniform(0.85, 1.15))
    off = 0.15 + 0.25 * further
    shift_x = (taught[2] - taught[0]) * rng.uniform(-off, off) * scale
    shift_y = (taught[3] - taught[1]) * rng.uniform(-off, off) * scale
    wide = (wide[0] + shift_x, wide[1] + shift_y, wide[2] + shift_x, wide[3] + shift_y)
    x1, y1, x2, y2 = (a + (b - a) * share for a, b in zip(tight, wide, strict=True))
    # The answer stays inside: a crop without it would teach guessing.
    x1, y1 = min(x1, answer[0] - MIN_MARGIN), min(y1, answer[1] - MIN_MARGIN)
    x2, y2 = max(x2, answer[2] + MIN_MARGIN), max(y2, answer[3] + MIN_MARGIN)
    return max(0, x1), max(0, y1), min(100, x2), min(100, y2)


def elsewhere(rng: Random, region: Rect) -> Rect:
    """Draws a region of the same size, anywhere on the page."""
    width, height = region[2] - region[0], region[3] - region[1]
    x, y = rng.uniform(0, 100 - width), rng.uniform(0, 100 - height)
    return x, y, x + width, y + height
