"""What paper, light and scanner add to a picture: folds, shadows, dust, noise, tint, and JPEG's own marks."""

from __future__ import annotations

import io
import math
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def folded(rng: Random, page: Image.Image) -> Image.Image:
    """Returns the paper with the light and shade of its folds and bends."""
    width, height = page.size
    shade = np.ones((height, 1), dtype=np.float32)
    for _ in range(rng.randint(1, 4)):
        at, reach, depth = rng.randrange(height), rng.uniform(0.02, 0.2) * height, rng.uniform(-0.07, 0.05)
        away = (np.arange(height, dtype=np.float32) - at) / reach
        shade[:, 0] += depth * np.where(away > 0, np.exp(-away.clip(0, 30)), -0.4 * np.exp(away.clip(-30, 0)))
    bend = (
        1 - rng.uniform(0, 0.08) * np.cos(np.linspace(0, math.pi * rng.uniform(0.5, 2), width, dtype=np.float32)) ** 2
    )
    return _times(page, shade * bend[None, :])


def scanned(rng: Random, image: Image.Image, is_scan: bool, is_small: bool) -> bytes:
    """Returns the JPEG file of a picture. `is_scan`: by a scanner, else by a camera; `is_small`: its type is small."""
    if rng.random() < 0.5 and not is_small:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    harsh = is_scan and rng.random() < 0.5
    pixels = np.asarray(image, dtype=np.float32)
    light = _light(rng, image.size, 0.06 if is_scan else 0.3)
    pixels = pixels * (light if pixels.ndim == 2 else light[..., None])
    if not harsh:
        pixels *= rng.uniform(0.8, 1.0) if rng.random() < 0.4 else rng.uniform(0.97, 1.06)
    if rng.random() < 0.75:
        pixels += _noise(rng, pixels.shape[:2], rng.uniform(1, 9))[(...,) if pixels.ndim == 2 else (..., None)]
    if harsh:
        middle = rng.uniform(150, 225)
        pixels = (pixels - middle) * rng.uniform(1.5, 3.5) + middle + rng.uniform(0, 30)
    elif rng.random() < 0.4:
        pixels = (pixels - 128) * rng.uniform(0.8, 1.2) + 128 + rng.uniform(-10, 20)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if is_scan:
        _dust(rng, image)
    if image.mode == "L" and rng.random() < 0.12:
        image = _tinted(rng, image)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=round(rng.triangular(35, 95, 80)))
    return file.getvalue()


def _times(image: Image.Image, share: np.ndarray) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32) * (share if image.mode == "L" else share[..., None])
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _light(rng: Random, size: tuple[int, int], depth: float) -> np.ndarray:
    """Returns a field of light, f32 [height, width], which goes down by at most `depth`."""
    noise = np.random.default_rng(rng.getrandbits(32))
    coarse = 1 - noise.random((rng.randint(2, 4), rng.randint(2, 3)), dtype=np.float32) * depth * rng.random()
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def _noise(rng: Random, shape: tuple[int, int], strength: float) -> np.ndarray:
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(shape, dtype=np.float32)
    noise *= strength
    return noise


def _dust(rng: Random, image: Image.Image) -> None:
    """Draws specks, and on some scans punched holes and the dark that a scanner sees beyond the paper."""
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for _ in range(rng.choice((0, 0, 15, 40, 120))):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), rng.choice((0.4, 0.6, 1.0, 1.6))
        grey = rng.randint(0, 170)
        draw.ellipse((x - r, y - r, x + r, y + r), grey if image.mode == "L" else (grey, grey, grey))
    dark = rng.randint(0, 60)
    ink = dark if image.mode == "L" else (dark, dark, dark)
    if rng.random() < 0.06:
        x, y, r = width * rng.uniform(0.02, 0.05), height * rng.uniform(0.3, 0.7), width * rng.uniform(0.015, 0.03)
        draw.ellipse((x - r, y - r, x + r, y + r), ink)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        x, y = rng.choice((0, width)), rng.choice((0, height))
        along, down = width * rng.uniform(0.03, 0.16), height * rng.uniform(0.005, 0.03)
        draw.polygon([(x, y), (abs(x - along), y), (x, abs(y - down))], ink)
    if rng.random() < 0.12:
        x = rng.choice((0, width))
        draw.polygon(
            [(x, 0), (abs(x - width * rng.uniform(0, 0.012)), 0), (abs(x - width * 0.008), height), (x, height)], ink
        )


def _tinted(rng: Random, image: Image.Image) -> Image.Image:
    """Returns a grey picture as RGB whose light and dark have a tint."""
    light = [rng.randint(232, 250) + rng.choice((-9, 0, 5)) for _ in range(3)]
    dark = [rng.randint(0, 50) for _ in range(3)]
    ramp = np.arange(256, dtype=np.float32) / 255
    bands = [image.point([int(d + (v - d) * share) for share in ramp]) for v, d in zip(light, dark, strict=True)]
    return Image.merge("RGB", bands)
