"""Reads boxes from a big VLM's reply, whatever JSON or text is around them.

The patterns are those of the service's `src/cropper/dialects/read/box-text.ts`: they read what JSON parsers do not, as
Markdown fences, single quotes, numbers in quotes, and a reply that was cut off after the box. The golden
`test/fixtures/golden/replies.json` keeps the two equal.
"""

from __future__ import annotations

import math
import re

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.columns import Rejection

MAX_LENGTH = 100_000
"""Characters of a reply that are looked through."""
# What JavaScript's \\s matches; Python's matches either less or, without re.ASCII, more.
_BLANK = r"[\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_SPACE = rf"{_BLANK}{{0,99}}"
_ITEM = r"""["']?([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?)["']?"""
_COMMA = rf"{_SPACE}[,;]{_SPACE}"
# Between the corners: a comma, or `), (` and the like.
_MIDDLE = rf"(?:{_COMMA}|{_SPACE}[\])]{_SPACE},?{_SPACE}[\[(]{_SPACE})"
_FOUR = f"{_ITEM}{_COMMA}{_ITEM}{_MIDDLE}{_ITEM}{_COMMA}{_ITEM}(?:{_SPACE},)?{_SPACE}"
_EQUALS = rf"{_BLANK}{{0,9}}[:=]{_BLANK}{{0,9}}"
_KEYS = r"bbox_?2d|box_?2d|bbox|box|bounding_?box|bbox_?pixels|coordinates|region"
_KEY = rf"""\b(?:{_KEYS})["']?{_EQUALS}"""
_NAME = re.compile(_KEY + r"(.{0,200})", re.IGNORECASE | re.ASCII | re.DOTALL)
# `"bbox_2d": [1, 2, 3, 4]`, `bbox = (1, 2, 3, 4)`, `'bbox': [[1, 2, 3, 4]]`.
_NAMED = re.compile(rf"""{_KEY}(?:["'[(]{_BLANK}{{0,30}}){{0,4}}{_FOUR}[\])"'}}]""", re.IGNORECASE | re.ASCII)
# `"x1": 1`.
_CORNER = re.compile(
    rf"""["']?\b(x_?1|y_?1|x_?2|y_?2|[xy]_?min|[xy]_?max|left|top|right|bottom)["']?{_EQUALS}{_ITEM}(?={_BLANK}|[,;}}\])])""",
    re.IGNORECASE | re.ASCII,
)
_CORNERS = ({"x1", "xmin", "left"}, {"y1", "ymin", "top"}, {"x2", "xmax", "right"}, {"y2", "ymax", "bottom"})
# `[1, 2, 3, 4]`, `[[1, 2, 3, 4]]`, `<|box_start|>(1,2),(3,4)<|box_end|>`.
_LIST = re.compile(rf"[\[(]{_SPACE}{_FOUR}[\])]", re.ASCII)
SLACK = 0.02
"""The share of a side by which a box may reach over the picture's edge, as models' boxes sometimes do."""


def boxes_in(reply: str) -> list[list[float]]:
    """Returns every box of four finite numbers, in order, as the model wrote them.

    Boxes with a name, as `bbox_2d`, come before boxes whose numbers have names, as `x1`, and these before bare lists,
    which may stand in prose: each kind is read where there is none before. What a model wrote before the end of its
    reasoning (`</think>`) is not read. Raises Rejection where there is no box.
    """
    answer = after_reasoning(reply[:MAX_LENGTH])
    for boxes in (_listed(_NAMED, answer), _cornered(answer), _listed(_LIST, answer)):
        if boxes:
            return boxes
    named = _NAME.search(answer)
    if named is None:
        raise Rejection("no bbox_2d in the reply")
    raise Rejection("bbox_2d is not four numbers", f"bbox_2d is {named[1]}")


def after_reasoning(text: str) -> str:
    """Returns what follows the reasoning of a reply; what comes before it where it does not end."""
    _, end, answer = text.rpartition("</think>")
    return answer if end else text.partition("<think>")[0]


def _listed(pattern: re.Pattern, text: str) -> list[list[float]]:
    boxes = [[float(number) for number in match.groups()] for match in pattern.finditer(text)]
    return [box for box in boxes if all(map(math.isfinite, box))]


def _cornered(text: str) -> list[list[float]]:
    """Returns the boxes whose four corners stand under their names, with no other box's corner between them."""
    boxes: list[list[float]] = []
    found: dict[int, float] = {}
    for match in _CORNER.finditer(text):
        name = match[1].lower().replace("_", "")
        place = next(index for index, names in enumerate(_CORNERS) if name in names)
        if place in found:
            found.clear()
        found[place] = float(match[2])
        if len(found) == len(_CORNERS):
            boxes.append([found[index] for index in range(len(_CORNERS))])
            found.clear()
    return [box for box in boxes if all(map(math.isfinite, box))]


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
