"""Lays a document before the camera or under the scanner, and says where each of its points is then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.synth.documents.ground import ground
from cropvlm_trainer.data.synth.page import Color

LONGEST = 1600
"""pixels; the longest edge that a picture may have"""
SHORTEST_LONG = 1000
"""pixels; no picture's longest edge is shorter"""
MIN_SCALE, MAX_SCALE = 0.5, 1.3
"""of a document that fills its picture"""
TILTS = {"tight": (0.7, 0.012), "sheet": (0.5, 0.006)}
"""Scanned: filling the picture, or small on a white sheet that went through the scanner with it.

The standard deviation of its turn in degrees, and by which share of its shorter side its corners are off at most."""
SEEN = {"table": (1.5, 0.02), "scene": (2.0, 0.09)}
"""Seen by a camera: lying on something, or hanging in a scene."""
WAYS = (*TILTS, *SEEN)
MOST_TURN = 4.0
"""degrees"""
STRAIGHT = 0.3
"""the share of scans that are not turned at all"""


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


def placed(rng: Random, page: Image.Image, squeeze: float, way: str) -> Placed:
    """Returns the picture of a document, in one of the `WAYS`. `squeeze` multiplies the document's width."""
    size, scale, (left, top) = _frame(rng, page.width * squeeze, page.height, way)
    shrunk = (max(1, round(page.width * squeeze * scale)), max(1, round(page.height * scale)))
    page_to_shrunk = np.diag([shrunk[0] / page.width, shrunk[1] / page.height, 1.0])
    if shrunk != page.size:
        page = page.resize(shrunk, Image.Resampling.BILINEAR if scale < 1 else Image.Resampling.BICUBIC)
    beyond = 255 if way == "sheet" else rng.choice((255, 255, 0, 30, 200))
    color = beyond if page.mode == "L" else (beyond, beyond, beyond)
    if way in TILTS and rng.random() < STRAIGHT:
        frame = Image.new(page.mode, size, color)
        frame.paste(page, (round(left), round(top)))
        return Placed(frame, _moved(round(left), round(top)) @ page_to_shrunk, way)
    turned = _turned(rng, page.size, (left, top), *(TILTS | SEEN)[way])
    matrix = turned @ page_to_shrunk
    if way in SEEN:
        scene = ground(rng, size)
        _shade(rng, scene, turned, page.size)
        scene.paste(
            _warped(page.convert("RGB"), size, turned, (0, 0, 0)),
            (0, 0),
            _warped(Image.new("L", page.size, 255), size, turned, 0),
        )
        return Placed(scene, matrix, way)
    return Placed(_warped(page, size, turned, color), matrix, way)


def _frame(rng: Random, width: float, height: float, way: str) -> tuple[tuple[int, int], float, tuple[float, float]]:
    """Returns the picture's size, the document's scale in it, and where its top left is. The sizes are in pixels."""
    if way == "sheet":
        high = rng.randint(1300, LONGEST)
        size = (round(high * rng.choice((0.707, 0.707, 0.773, 0.65))), high)
        scale = min(size[0] * rng.uniform(0.25, 0.5) / width, high * 0.86 / height)
        top = min(high * rng.uniform(0.03, 0.2), high * 0.97 - height * scale)
        return size, scale, ((size[0] - width * scale) * rng.uniform(0.35, 0.65), top)
    edges = {"tight": (-0.01, 0.03), "table": (0.03, 0.16), "scene": (0.06, 0.45)}[way]
    around = [rng.uniform(*edges) * min(width, height) for _ in range(4)]
    full = (width + around[0] + around[2], height + around[1] + around[3])
    longest = LONGEST if rng.random() < 0.4 else rng.uniform(SHORTEST_LONG, LONGEST)
    scale = min(max(longest / max(full), MIN_SCALE), MAX_SCALE, LONGEST / max(full))
    return (round(full[0] * scale), round(full[1] * scale)), scale, (around[0] * scale, around[1] * scale)


def _turned(rng: Random, size: tuple[int, int], at: tuple[float, float], turn: float, slant: float) -> np.ndarray:
    """Returns the matrix that lays a page of this size with its top left about `at`, a little turned and aslant."""
    width, height = size
    angle = math.radians(max(-MOST_TURN, min(MOST_TURN, rng.gauss(0, turn))))
    slant *= rng.choice((0.3, 0.3, 1))
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


def _warped(page: Image.Image, size: tuple[int, int], matrix: np.ndarray, beyond: int | Color) -> Image.Image:
    back = np.linalg.inv(matrix)
    values = tuple((back / back[2, 2]).ravel()[:8])
    return page.transform(size, Image.Transform.PERSPECTIVE, values, Image.Resampling.BILINEAR, fillcolor=beyond)


def _shade(rng: Random, scene: Image.Image, matrix: np.ndarray, size: tuple[int, int]) -> None:
    """Darkens the ground where the document throws a shadow."""
    by, soft = rng.uniform(-0.012, 0.012) * max(scene.size), rng.uniform(2, 6)
    quarter = (scene.width // 4, scene.height // 4)
    moved = np.diag([0.25, 0.25, 1.0]) @ _moved(by, abs(by)) @ matrix
    mask = _warped(Image.new("L", size, round(rng.uniform(60, 170))), quarter, moved, 0)
    mask = mask.filter(ImageFilter.GaussianBlur(soft)).resize(scene.size, Image.Resampling.BILINEAR)
    scene.paste((10, 10, 10), (0, 0), mask)


def _moved(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
