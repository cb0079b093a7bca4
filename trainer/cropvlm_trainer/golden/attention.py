"""Goldens of the rule from attention to a box: the attention on an image's tokens, and the box that it gives.

No model is needed. Both languages add and divide in the same order, so that ties are decided alike.
"""

from __future__ import annotations

import numpy as np

from cropvlm_trainer.attention.box import attention_box, base_side
from cropvlm_trainer.attention.maps import image_map, relative
from cropvlm_trainer.boxes import around

SHAPES = [
    (640, 480, 0, 0, 64),
    (640, 480, 2, 2, 16),
    (1000, 300, 1, 2, 36),
    (37, 111, 4, 2, 16),
    (4000, 3000, 3, 4, 64),
]
"""Width and height in pixels, rows and columns of tiles, tokens of a tile."""
TILE = 512
KINDS = ("noise", "spot", "edge", "flat", "zero")


def attention() -> dict:
    """Returns the golden."""
    rng = np.random.default_rng(12)
    cases = [_case(rng, kind, *shape) for shape in SHAPES for kind in KINDS]
    cases += [_case(rng, "spot", *SHAPES[1], tile=tile) for tile in (8, 160, 2000)]
    made_by = "cropvlm_trainer.attention: image_map of both, relative, attention_box; `box` is `rect` rounded outwards"
    return {"made_by": made_by, "cases": cases}


def _case(
    rng: np.random.Generator, kind: str, width: int, height: int, rows: int, columns: int, tokens: int, tile: int = TILE
) -> dict:
    tiles = 1 if rows == columns == 0 else rows * columns + 1
    question, general = _values(rng, kind, tiles, tokens), np.ones(tiles * tokens)
    if kind == "zero":
        general[::3] = 0
    if kind == "noise":
        general = 2.0 ** rng.integers(-2, 3, tiles * tokens)
        general[-tokens:] = general[-1] if tiles > 1 else general[-tokens:]
    cells = relative(image_map(question, rows, columns), image_map(general, rows, columns))
    rect = attention_box(cells, width, height, base_side(cells, width, height, tile))
    case = {"kind": kind, "width": width, "height": height, "rows": rows, "cols": columns, "tile": tile}
    values = {"question": question.tolist(), "general": general.tolist()}
    return case | values | {"sum": float(cells.sum()), "rect": [round(v, 9) for v in rect], "box": around(rect)}


def _values(rng: np.random.Generator, kind: str, tiles: int, tokens: int) -> np.ndarray:
    """The attention on the tokens: `spot` is high on some neighbouring tokens, `edge` on the last of each tile."""
    if kind in ("flat", "zero"):
        return np.full(tiles * tokens, 0.25)
    values = rng.integers(1, 256, tiles * tokens) / 256
    if kind == "noise":
        return values
    values = values / 16
    at = int(rng.integers(tiles * tokens)) if kind == "spot" else tokens - 1
    values[at :: tokens if kind == "edge" else tiles * tokens] += 8
    return values
