"""The box in a big VLM's reply: its first `"bbox_2d"` of four numbers, whatever JSON, fence or words are around it."""

from __future__ import annotations

import json
import math
import re

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.columns import Rejection

# The key with its value, not the object around them: a reply that was cut off behind its box still holds it.
_VALUE = re.compile(r'"bbox_2d"\s*:\s*(\[[^\[\]{}]*\])?')
SLACK = 0.02
"""Share of a side that a box may lie outside the picture; models overshoot an edge by a little."""


def boxes_in(reply: str) -> list[list[float]]:
    """Every `bbox_2d` of four finite numbers, in order, as the model wrote them.

    Raises Rejection where there is none.
    """
    values = [match[1] for match in _VALUE.finditer(reply)]
    if not values:
        raise Rejection("no bbox_2d in the reply")
    boxes = [box for box in map(_four_numbers, values) if box]
    if not boxes:
        raise Rejection("bbox_2d is not four numbers", f"bbox_2d is {(values[0] or 'no list')[:200]}")
    return boxes


def to_percent(box: list[float], span: tuple[float, float], size: tuple[int, int]) -> Rect:
    """The box in per cent, cut off at the picture's edges, to two decimals.

    `span`: the numbers that the picture's right and lower edges have, as `(1000, 1000)`; `size`: its pixels.
    Raises Rejection for a box that is none: upside down or without area, far outside, or under a pixel in size.
    """
    (x1, y1, x2, y2), (right, bottom) = box, span
    if x2 <= x1 or y2 <= y1:
        raise Rejection("box without area", f"{box}: x2 must be above x1 and y2 above y1")
    if min(x1 / right, y1 / bottom) < -SLACK or max(x2 / right, y2 / bottom) > 1 + SLACK:
        raise Rejection("box outside the picture", f"{box} in a picture that ends at {span}")
    x1, x2 = (100 * min(max(x, 0), right) / right for x in (x1, x2))
    y1, y2 = (100 * min(max(y, 0), bottom) / bottom for y in (y1, y2))
    # What fractions look like where pixels are expected, too.
    slack = 1e-9
    if (x2 - x1) * size[0] < 100 - slack or (y2 - y1) * size[1] < 100 - slack:
        raise Rejection("box under a pixel", f"{box} in a picture of {size[0]} x {size[1]} pixels")
    return round(x1, 2), round(y1, 2), round(x2, 2), round(y2, 2)


def _four_numbers(value: str | None) -> list[float] | None:
    try:
        numbers = json.loads(value or "")
        if len(numbers) != 4 or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in numbers):
            return None
        box = [float(v) for v in numbers]
    except (ValueError, OverflowError):
        return None
    return box if all(map(math.isfinite, box)) else None
