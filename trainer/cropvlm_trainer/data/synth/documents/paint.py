"""Paints a layout as a printer does: sharp, from a till's thermal head, or in dots."""

from __future__ import annotations

from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cropvlm_trainer.data.synth.documents.layout import Layout

PRINTS = ("laser", "thermal", "dots")


def painted(layout: Layout) -> Image.Image:
    """Returns the document as it was meant to be: grey where nothing on it has a colour, else RGB."""
    mode = "L" if layout.is_grey else "RGB"
    paper = layout.paper[0] if mode == "L" else layout.paper
    image = Image.new(mode, (round(layout.width), round(layout.height)), paper)
    draw = ImageDraw.Draw(image)
    for mark in layout.marks:
        mark.draw(image, draw)
    return image


def printed(image: Image.Image, how: str, rng: Random, is_faint: bool = True) -> Image.Image:
    """Returns what the printer made of a painted document; `is_faint`: whether its print may be pale."""
    if how == "laser":
        return image
    share = _fading(rng, image.size) if is_faint and rng.random() < 0.45 else np.ones((1, 1), dtype=np.float32)
    if how == "dots":
        return _as_ink(image, _dots(rng, image.size) * share, rng.uniform(1.3, 2.0))
    if rng.random() < 0.5:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 0.8)))
    return _as_ink(image, share, rng.choice((0.85, 1.0, 1.3, 1.8)) if is_faint else rng.uniform(1.5, 2.5))


def _as_ink(image: Image.Image, share: np.ndarray, gain: float) -> Image.Image:
    ink = (255 - np.asarray(image, dtype=np.float32)) * gain
    np.minimum(ink, 255, out=ink)
    ink *= share if ink.ndim == 2 else share[..., None]
    return Image.fromarray((255 - ink).astype(np.uint8))


def _dots(rng: Random, size: tuple[int, int]) -> np.ndarray:
    """Returns how much of the ink a grid of pins gives, f32 [height, width]."""
    pitch, depth = rng.uniform(2.4, 3.6), rng.uniform(0.25, 0.6)
    across, down = (0.5 + 0.5 * np.cos(np.arange(n, dtype=np.float32) * (2 * np.pi / pitch)) for n in size)
    return 1 - depth + depth * down[:, None] * across[None, :] * 1.4


def _fading(rng: Random, size: tuple[int, int]) -> np.ndarray:
    """Returns how much of the ink is left, f32 [height, width]: pale patches, and columns of worn-out heads."""
    width, height = size
    noise = np.random.default_rng(rng.getrandbits(32))
    strength = rng.choice((0.1, 0.2, 0.35, 0.6))
    patches = noise.random((rng.randint(3, 14), rng.randint(2, 6)), dtype=np.float32)
    field = Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)
    share = rng.uniform(0.8, 1.0) - strength * np.asarray(field).clip(0, 1) ** 2
    if rng.random() < 0.15:
        columns = np.ones(width, dtype=np.float32)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(width)
            columns[at : at + rng.randint(1, 5)] = rng.uniform(0.1, 0.6)
        share = share * columns
    return share.clip(0.3, 1)
