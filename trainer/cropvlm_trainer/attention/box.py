"""ViCrop's rule that turns a map of attention into a box (Zhang et al., "MLLMs Know Where to Look", released code).

A window of each of six sizes slides over the map. For each size, the window with the largest sum is compared with the
windows one cell to its left, right, above and below: the size whose best window stands out most from them, by the
difference of the sums over the window's number of cells, is taken. The box has that size in pixels and stands about the
window's centre, shifted into the image.

`src/vlm/attention/box.ts` states the same rule; `test/fixtures/golden/attention.json` holds both equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cropvlm_trainer.boxes import WHOLE, Rect

RATIOS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
"""The sides of the windows, in multiples of the base."""
SHARE = 0.25
"""The longest base, as a share of the image's longest edge (`base_side`)."""


@dataclass(frozen=True)
class Window:
    """The best window of one size, in cells of the map."""

    left: int
    top: int
    width: int
    height: int
    stands_out: float
    """its sum less the mean of its neighbours' sums, over its number of cells"""


def base_side(cells: np.ndarray, width: int, height: int, tile: int) -> float:
    """The side of the smallest window on the map `cells` [rows, columns], in pixels of the image.

    The released code takes the edge of the picture that the model sees (336 for LLaVA-1.5, 224 for InstructBLIP), in
    pixels of the original. In an image that is not much larger than that, such a box leaves nothing out; therefore the
    base is at most a quarter of the image's longest edge here. It is at least a cell, below which a map says nothing.
    """
    rows, columns = cells.shape
    return max(min(float(tile), max(width, height) * SHARE), width / columns, height / rows)


def attention_box(cells: np.ndarray, width: int, height: int, base: float) -> Rect:
    """The box in per cent that the map `cells` [rows, columns] gives in an image of this size in pixels.

    `base` is the side of the smallest window in pixels. The whole image where a window of that size covers the map, and
    where a value is not finite.
    """
    rows, columns = cells.shape
    sums, best = _sums(cells.astype(np.float64)), None
    for ratio in RATIOS:
        across = min(max(int(base * ratio / (width / columns)), 1), columns)
        down = min(max(int(base * ratio / (height / rows)), 1), rows)
        if across == columns and down == rows:
            break
        window = _best(sums, across, down)
        if best is None or window.stands_out > best[0].stands_out:
            best = window, base * ratio
    if best is None or not np.isfinite(sums[-1, -1]):
        x1, y1, x2, y2 = map(float, WHOLE)
        return x1, y1, x2, y2
    window, side = best
    x1, x2 = _side((window.left + window.width / 2) * (width / columns), side, width)
    y1, y2 = _side((window.top + window.height / 2) * (height / rows), side, height)
    return x1, y1, x2, y2


def _sums(cells: np.ndarray) -> np.ndarray:
    """[rows + 1, columns + 1]: at [y, x] the sum of the cells above y and left of x."""
    rows, columns = cells.shape
    sums = np.zeros((rows + 1, columns + 1))
    for y in range(rows):
        row = 0.0
        for x in range(columns):
            row += float(cells[y, x])
            sums[y + 1, x + 1] = sums[y, x + 1] + row
    return sums


def _best(sums: np.ndarray, width: int, height: int) -> Window:
    """The window of this size with the largest sum; of equal ones the leftmost, and of those the topmost."""
    windows = sums[height:, width:] - sums[:-height, width:] - (sums[height:, :-width] - sums[:-height, :-width])
    # Transposed, since argmax takes the first in the order of the rows.
    left, top = np.unravel_index(int(windows.T.argmax()), windows.T.shape)
    around = list(_neighbours(windows, int(top), int(left)))
    stands_out = (float(windows[top, left]) - sum(around) / len(around)) / (width * height)
    return Window(int(left), int(top), width, height, stands_out)


def _neighbours(windows: np.ndarray, top: int, left: int) -> Iterator[float]:
    """The sums of the windows one cell to the left, right, above and below, those of them that there are."""
    for y, x in ((top, left - 1), (top, left + 1), (top - 1, left), (top + 1, left)):
        if 0 <= y < windows.shape[0] and 0 <= x < windows.shape[1]:
            yield float(windows[y, x])


def _side(centre: float, side: float, length: int) -> tuple[float, float]:
    """The start and end, in per cent of `length`, of a side about `centre`, shifted into the image (all in pixels)."""
    side = min(side, float(length))
    start = min(max(centre - side / 2, 0.0), length - side)
    return start / length * 100, min((start + side) / length * 100, 100.0)
