"""Draws views of a page: turned, scaled, shifted, brighter or darker, with noise. Boxes move along."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
from PIL import Image

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.idefics3.image_processing import tiles

TURN = 3.0
"""degrees to either side, at most"""
SCALE, STRETCH = 0.18, 0.12
"""natural logarithms of the largest factors: of both sides alike, and of each side besides"""
SHIFT = 8.0
"""per cent of the page to either side, at most"""
CONTRAST, BRIGHTNESS = (0.7, 1.25), 30.0
NOISE_SHARE, NOISE = 0.3, (2.0, 10.0)
"""the share of views with noise, and its standard deviation in grey levels"""
SLACK = 1.0
"""per cent of the page by which a box may leave the view before its question is left out"""
OVERSAMPLE = 1.5
"""the views of much larger pages are drawn so much larger, then halved, so that thin strokes stay"""


class View:
    """A drawn view: where each point of the page is in it."""

    def __init__(self, rng: Random, aspect: float, strength: float) -> None:
        """`aspect` is the page's width by its height. `strength` scales everything that is drawn; 0 draws nothing."""
        turn = math.radians(rng.uniform(-TURN, TURN)) * strength
        scale = math.exp(rng.uniform(-SCALE, SCALE) * strength)
        by_x, by_y = (scale * math.exp(rng.uniform(-STRETCH, STRETCH) * strength) for _ in range(2))
        shift_x, shift_y = (rng.uniform(-SHIFT, SHIFT) * strength for _ in range(2))
        # In per cent of each side a turn is no rotation: the sides differ in length.
        turned = np.array(
            [[math.cos(turn), -math.sin(turn) / aspect, 0], [math.sin(turn) * aspect, math.cos(turn), 0], [0, 0, 1]]
        )
        self.matrix = _moved(50 + shift_x, 50 + shift_y) @ np.diag([by_x, by_y, 1.0]) @ turned @ _moved(-50, -50)
        self._rng, self._strength = rng, strength

    def box(self, box: Sequence[float]) -> Rect | None:
        """Returns the box around a box of the page, in per cent of the view; None where it is not in the view."""
        corners = np.array([[box[0], box[2], box[0], box[2]], [box[1], box[1], box[3], box[3]], [1.0, 1.0, 1.0, 1.0]])
        x, y = (self.matrix @ corners)[:2]
        moved = (x.min(), y.min(), x.max(), y.max())
        if min(moved[:2]) < -SLACK or max(moved[2:]) > 100 + SLACK:
            return None
        x1, y1, x2, y2 = (float(min(100.0, max(0.0, value))) for value in moved)
        return x1, y1, x2, y2

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Returns a point of the page, in per cent, as a point of the view."""
        at = self.matrix @ np.array([x, y, 1.0])
        return float(at[0]), float(at[1])

    def picture(self, page: Image.Image, tile: int) -> np.ndarray:
        """Returns the view, uint8 `[tile, tile, 3]`."""
        if self._strength == 0:
            return tiles(page, tile, tile)[0]
        side = tile if max(page.size) < 1.15 * tile else int(tile * OVERSAMPLE)
        to_page = np.diag([page.width / 100, page.height / 100, 1.0]) @ np.linalg.inv(self.matrix)
        to_page = to_page @ np.diag([100 / side, 100 / side, 1.0])
        around = tuple(int(value) for value in np.median(np.asarray(page)[::8, ::8].reshape(-1, 3), axis=0))
        fill = self._rng.choice(((0, 0, 0), (128, 128, 128), (255, 255, 255), around))
        drawn = page.transform(
            (side, side), Image.Transform.AFFINE, tuple(to_page[:2].ravel()), Image.Resampling.BILINEAR, fillcolor=fill
        )
        if side != tile:
            drawn = drawn.resize((tile, tile), Image.Resampling.BILINEAR)
        return self._printed(np.asarray(drawn, dtype=np.float32))

    def _printed(self, pixels: np.ndarray) -> np.ndarray:
        contrast, brightness = self._rng.uniform(*CONTRAST), self._rng.uniform(-BRIGHTNESS, BRIGHTNESS)
        pixels = (pixels - 128) * contrast + 128 + brightness
        if self._rng.random() < NOISE_SHARE:
            noise = np.random.default_rng(self._rng.getrandbits(64))
            grain = noise.standard_normal((*pixels.shape[:2], 1), dtype=np.float32)
            pixels = pixels + grain * self._rng.uniform(*NOISE)
        return pixels.clip(0, 255).astype(np.uint8)


def _moved(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
