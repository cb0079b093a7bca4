"""Lays a document before the camera or under the scanner, and says where each of its points is then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.synth.page import Color, luminance

LONGEST = 1600
"""pixels; the longest edge that a picture may have"""
SHORTEST_LONG = 1000
"""pixels; no picture's longest edge is shorter"""
MIN_SCALE, MAX_SCALE = 0.5, 1.3
"""of a document that fills its picture"""
WAYS = ("tight", "sheet", "table")
"""filling the picture; small on a white sheet that went through the scanner with it; lying on something"""


@dataclass(frozen=True)
class Placed:
    image: Image.Image
    matrix: np.ndarray
    """f64 [3, 3]; takes a point of the document in pixels, with a third coordinate of 1, to one of the picture"""
    way: str

    def rect(self, rect: Rect) -> Rect:
        """Returns the box around a rectangle of the document, in per cent of the picture, not cut off at its edges."""
        x1, y1, x2, y2 = rect
        x, y, w = self.matrix @ np.array([[x1, x2, x1, x2], [y1, y1, y2, y2], [1.0, 1.0, 1.0, 1.0]])
        x, y = 100 * x / w / self.image.width, 100 * y / w / self.image.height
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def placed(rng: Random, page: Image.Image, squeeze: float, way: str, outside: Color, tilt: float) -> Placed:
    """Returns the picture of a document.

    `squeeze` multiplies the document's width. `outside` is the colour of what it lies on, or the colour beyond its
    edges; `tilt` scales by how much it is turned and seen from aside: 1 is that of a scanner.
    """
    width, height = page.width * squeeze, page.height
    if way == "sheet":
        size = _sheet(rng)
        scale = min(size[0] * rng.uniform(0.3, 0.52) / width, size[1] * 0.86 / height)
        left = (size[0] - width * scale) * rng.uniform(0.35, 0.65)
        top = min(size[1] * rng.uniform(0.03, 0.2), size[1] * 0.97 - height * scale)
    else:
        edges = (-0.01, 0.03) if way == "tight" else (0.02, 0.14)
        around = [rng.uniform(*edges) * page.width * squeeze for _ in range(4)]
        longest = LONGEST if rng.random() < 0.4 else rng.uniform(SHORTEST_LONG, LONGEST)
        full = (width + around[0] + around[2], height + around[1] + around[3])
        scale = min(max(longest / max(full), MIN_SCALE), MAX_SCALE, LONGEST / max(full))
        size = tuple(round(side * scale) for side in full)
        left, top = around[0] * scale, around[1] * scale
    shrunk = (max(1, round(width * scale)), max(1, round(height * scale)))
    page_to_shrunk = np.diag([shrunk[0] / page.width, shrunk[1] / page.height, 1.0])
    if shrunk != page.size:
        page = page.resize(shrunk, Image.Resampling.BILINEAR if scale < 1 else Image.Resampling.BICUBIC)
    frame = Image.new(page.mode, size, _ink(page.mode, outside))
    if rng.random() < (0.3 if tilt <= 1 else 0):
        frame.paste(page, (round(left), round(top)))
        return Placed(frame, _moved(round(left), round(top)) @ page_to_shrunk, way)
    matrix = _turned(rng, page.size, (left, top), tilt)
    return Placed(_warped(frame, page, matrix), matrix @ page_to_shrunk, way)


def _sheet(rng: Random) -> tuple[int, int]:
    height = rng.randint(1300, LONGEST)
    return round(height * rng.choice((0.707, 0.707, 0.773, 0.65))), height


def _turned(rng: Random, size: tuple[int, int], at: tuple[float, float], tilt: float) -> np.ndarray:
    """Returns the matrix that lays a page of this size with its top left about `at`, a little turned and aslant."""
    width, height = size
    angle = math.radians(max(-3.0, min(3.0, rng.gauss(0, 0.7)))) * tilt
    slant = 0.004 * tilt if rng.random() < 0.7 else 0.012 * tilt
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    moved = []
    for x, y in corners:
        dx, dy = x - width / 2, y - height / 2
        turned = dx * math.cos(angle) - dy * math.sin(angle), dx * math.sin(angle) + dy * math.cos(angle)
        jitter = [rng.uniform(-slant, slant) * min(size) for _ in range(2)]
        moved.append((at[0] + width / 2 + turned[0] + jitter[0], at[1] + height / 2 + turned[1] + jitter[1]))
    return homography(corners, moved)


def homography(points: Sequence[tuple[float, float]], to: Sequence[tuple[float, float]]) -> np.ndarray:
    """Returns the f64 [3, 3] matrix that takes four points to four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(points, to, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    solved = np.linalg.solve(np.array(rows, dtype=np.float64), np.array(values, dtype=np.float64))
    return np.append(solved, 1.0).reshape(3, 3)


def _warped(frame: Image.Image, page: Image.Image, matrix: np.ndarray) -> Image.Image:
    back = np.linalg.inv(matrix)
    back = tuple((back / back[2, 2]).ravel()[:8])
    how = (frame.size, Image.Transform.PERSPECTIVE, back, Image.Resampling.BILINEAR)
    corner = frame.getpixel((0, 0))
    return page.transform(*how, fillcolor=corner)


def _moved(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _ink(mode: str, color: Color) -> int | Color:
    return round(luminance(color)) if mode == "L" else color
