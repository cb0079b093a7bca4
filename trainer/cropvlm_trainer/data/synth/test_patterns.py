"""Test images made by formulas on integers, which Python and TypeScript compute to exactly the same pixels.

`FORMULAS` is written into the golden files that use the images. Every value is an integer, `//` rounds a quotient down,
and `^ & >>` work on 32 bits; no intermediate value reaches 2^31 for edges up to 6000 pixels.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

Plane = np.ndarray

FORMULAS = {
    "hash": "((x*7 + y*13 + c*29) ^ (x*y)) & 255",
    "gradient": "c==0: x*255 // max(1,w-1); c==1: y*255 // max(1,h-1); c==2: (x+y)*255 // max(1,w+h-2)",
    "checker": "((x//7 + y//5 + c//2) & 1) * 255",
    "edges": "((x*h > y*w ? 1 : 0) ^ (c==1 ? 1 : 0) ^ (x*3 > w*2 ? 1 : 0)) * 255",
    "strokes": (
        "u = x%12, v = y%18, g = ((x//12)*7 + (y//18)*11 + (x//12)*(y//18)) % 16; "
        "ink = (g&1 and v in 2..3 and u in 2..9) or (g&2 and v in 8..9 and u in 2..9) or "
        "(g&4 and v in 14..15 and u in 2..9) or (g&8 and u in 2..3 and v in 2..15) or "
        "(g%3==1 and u in 8..9 and v in 2..15) (both ends included); "
        "value = ink ? 20 + c*30 : 245 - c*10"
    ),
    "blocks": "a = x*8 // w, b = y*8 // h; ((a*37 + b*91 + c*57) ^ (a*b*13) ^ (w*5 + h*3)) & 255",
}


def _hash(x: Plane, y: Plane, c: int, w: int, h: int) -> Plane:
    return ((x * 7 + y * 13 + c * 29) ^ (x * y)) & 255


def _gradient(x: Plane, y: Plane, c: int, w: int, h: int) -> Plane:
    if c == 0:
        return x * 255 // max(1, w - 1) + 0 * y
    if c == 1:
        return y * 255 // max(1, h - 1) + 0 * x
    return (x + y) * 255 // max(1, w + h - 2)


def _checker(x: Plane, y: Plane, c: int, w: int, h: int) -> Plane:
    return ((x // 7 + y // 5 + c // 2) & 1) * 255


def _edges(x: Plane, y: Plane, c: int, w: int, h: int) -> Plane:
    return ((x * h > y * w) ^ (c == 1) ^ (x * 3 > w * 2)) * 255


def _strokes(x: Plane, y: Plane, c: int, w: int, h: int) -> Plane:
    u, v = x % 12, y % 18
    g = ((x // 12) * 7 + (y // 18) * 11 + (x // 12) * (y // 18)) % 16
    across = (u >= 2) & (u <= 9)
    down = (v >= 2) & (v <= 15)
    ink = ((g & 1) > 0) & (v >= 2) & (v <= 3) & across
    ink |= ((g & 2) > 0) & (v >= 8) & (v <= 9) & across
    ink |= ((g & 4) > 0) & (v >= 14) & (v <= 15) & across
    ink |= ((g & 8) > 0) & (u >= 2) & (u <= 3) & down
    ink |= (g % 3 == 1) & (u >= 8) & (u <= 9) & down
    return np.where(ink, 20 + c * 30, 245 - c * 10)


def _blocks(x: Plane, y: Plane, c: int, w: int, h: int) -> Plane:
    a, b = x * 8 // w, y * 8 // h
    return ((a * 37 + b * 91 + c * 57) ^ (a * b * 13) ^ (w * 5 + h * 3)) & 255


_PATTERNS: dict[str, Callable[[Plane, Plane, int, int, int], Plane]] = {
    "hash": _hash,
    "gradient": _gradient,
    "checker": _checker,
    "edges": _edges,
    "strokes": _strokes,
    "blocks": _blocks,
}


def pattern_image(pattern: str, width: int, height: int) -> Image.Image:
    """Returns the RGB image of a formula, one of `FORMULAS`, at a size in pixels."""
    x = np.arange(width, dtype=np.int64)[None, :]
    y = np.arange(height, dtype=np.int64)[:, None]
    planes = [_PATTERNS[pattern](x, y, c, width, height) for c in range(3)]
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))
