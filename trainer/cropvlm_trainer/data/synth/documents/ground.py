"""What a document lies on or hangs at, where a camera sees beyond its edges."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cropvlm_trainer.data.synth.page import Color


def ground(rng: Random, size: tuple[int, int]) -> Image.Image:
    """Returns an RGB picture of a desk, a cloth, a wall or greenery."""
    kind = rng.choice((_plain, _plain, _planks, _bricks, _leaves))
    base = tuple(rng.randint(25, 215) for _ in range(3)) if rng.random() < 0.3 else _muted(rng)
    # Drawn at a quarter of its size: it is out of focus, and cheap.
    small = (max(8, size[0] // 4), max(8, size[1] // 4))
    picture = kind(rng, small, base)  # type: ignore[arg-type]
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 2))).resize(size, Image.Resampling.BILINEAR)


def _muted(rng: Random) -> Color:
    grey, warm = rng.randint(30, 205), rng.randint(0, 45)
    return min(255, grey + warm), grey, max(0, grey - warm)


def _varied(rng: Random, base: Color, most: int) -> Color:
    by = rng.randint(-most, most)
    return tuple(min(255, max(0, value + by)) for value in base)  # type: ignore[return-value]


def _cloud(rng: Random, size: tuple[int, int], base: Color, cells: int, depth: float) -> Image.Image:
    noise = np.random.default_rng(rng.getrandbits(32))
    field = noise.random((cells, cells), dtype=np.float32) - 0.5
    grown = np.asarray(Image.fromarray(field).resize(size, Image.Resampling.BICUBIC))
    pixels = np.array(base, dtype=np.float32) + grown[..., None] * depth
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _plain(rng: Random, size: tuple[int, int], base: Color) -> Image.Image:
    return _cloud(rng, size, base, rng.randint(2, 6), rng.uniform(10, 60))


def _leaves(rng: Random, size: tuple[int, int], base: Color) -> Image.Image:
    green = (base[0] // 2, min(255, base[1] // 2 + 50), base[2] // 3)
    return _cloud(rng, size, green, rng.randint(20, 60), rng.uniform(60, 160))


def _planks(rng: Random, size: tuple[int, int], base: Color) -> Image.Image:
    picture = _plain(rng, size, base)
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(rng.randint(10, 60)):
        x = rng.randrange(size[0])
        draw.line(
            (x, 0, x + rng.randint(-9, 9), size[1]), (*_varied(rng, base, 45), rng.randint(40, 140)), rng.randint(1, 6)
        )
    return picture


def _bricks(rng: Random, size: tuple[int, int], base: Color) -> Image.Image:
    picture = Image.new("RGB", size, _varied(rng, base, 50))
    draw = ImageDraw.Draw(picture)
    high = rng.randint(9, 26)
    wide = high * rng.uniform(2, 3)
    for row in range(size[1] // high + 1):
        x = -wide * (row % 2) / 2
        while x < size[0]:
            draw.rectangle((x, row * high, x + wide - 2, row * high + high - 2), _varied(rng, base, 14))
            x += wide
    return picture
