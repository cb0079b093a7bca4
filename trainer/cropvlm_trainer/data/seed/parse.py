"""Reads boxes from a big VLM's reply: each `"bbox_2d"` with four numbers, whatever JSON or text is around it."""

from __future__ import annotations

import json
import math
import re

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.columns import Rejection

# The pattern matches a key and its value and not a whole JSON object, because a reply that was cut off at the token
# limit may end after the box.
_VALUE = re.compile(r'"bbox_2d"\s*:\s*(\[[^\[\]{}]*\])?')
SLACK = 0.02
"""The share of a side by which a box may reach over the picture's edge, as models' boxes sometimes do."""


def boxes_in(reply: str) -> list[list[float]]:
    """Returns every `bbox_2d` of four finite numbers, in order, as the model wrote them.

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
    """Returns the box in per cent with two decimals, cut off at the picture's edges.

    `span` is the coordinates of the picture's right and lower edges in the model's unit, as `(1000, 1000)`; `size` is
    the picture's width and height in pixels.
    Raises Rejection for a box without area, upside down, more than `SLACK` outside, or less than a pixel wide or high.
    """
    (x1, y1, x2, y2), (right, bottom) = box, span
    if x2 <= x1 or y2 <= y1:
        raise Rejection("box without area", f"{box}: x2 must be above x1 and y2 above y1")
    if min(x1 / right, y1 / bottom) < -SLACK or max(x2 / right, y2 / bottom) > 1 + SLACK:
        raise Rejection("box outside the picture", f"{box} in a picture that ends at {span}")
    x1, x2 = (100 * min(max(x, 0), right) / right for x in (x1, x2))
    y1, y2 = (100 * min(max(y, 0), bottom) / bottom for y in (y1, y2))
    # A box under a pixel is often one in fractions where pixels were expected. The slack is for rounding errors.
    slack = 1e-9
    if (x2 - x1) * size[0] < 100 - slack or (y2 - y1) * size[1] < 100 - slack:
        raise Rejection("box under a pixel", f"{box} in a picture of {size[0]} x {size[1]} pixels")
    return round(x1, 2), round(y1, 2), round(x2, 2), round(y2, 2)


def _four_numbers(value: str | None) -> list[float] | None:
    """Returns the four finite numbers of a JSON list, or None for any other text."""
    try:
        numbers = json.loads(value or "")
        if len(numbers) != 4 or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in numbers):
            return None
        box = [float(v) for v in numbers]
    except (ValueError, OverflowError):
        return None
    return box if all(map(math.isfinite, box)) else None
