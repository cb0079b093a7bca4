"""Idefics3's image processing on PIL images.

The steps are those of transformers 5.18 with its PIL backend, and the tests compare the results bit by bit. They are
written out here since training takes tiles as bytes, while transformers' processor also normalises and pads them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from cropvlm_trainer.boxes import WHOLE
from cropvlm_trainer.contract import to_pixels
from cropvlm_trainer.idefics3.tokenizer import MAX_GRID


def crop(image: Image.Image, box: Sequence[float] | None) -> Image.Image:
    """The part of the image inside a box in per cent, widened to whole pixels; without a box, the whole image."""
    return image.crop(to_pixels(box or WHOLE, *image.size))


def resized_edges(width: int, height: int, longest_edge: int) -> tuple[int, int]:
    """Width and height in pixels with the longer edge at `longest_edge`; the other is truncated and made even."""
    if width >= height:
        other = int(longest_edge / (width / height))
        return longest_edge, max(other + other % 2, 1)
    other = int(longest_edge * (width / height))
    return max(other + other % 2, 1), longest_edge


def tile_grid(width: int, height: int, longest_edge: int, tile: int) -> tuple[int, int]:
    """Rows and columns of tiles that an image is split into; `(1, 1)` is one tile without a split. All in pixels."""
    w, h = resized_edges(width, height, longest_edge)
    w, h = _to_multiples(w, h, tile)
    return h // tile, w // tile


def tiles(image: Image.Image, longest_edge: int, tile: int) -> np.ndarray:
    """The image as tiles, uint8 `[n, tile, tile, 3]`: row by row, and after them the global view if there are several.

    `longest_edge` and `tile` in pixels.
    """
    image = image.convert("RGB")
    image = image.resize(resized_edges(*image.size, longest_edge), Image.Resampling.LANCZOS)
    image = image.resize(_to_multiples(*image.size, tile), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    rows, columns = pixels.shape[0] // tile, pixels.shape[1] // tile
    if rows == columns == 1:
        return pixels[None]
    parts = pixels.reshape(rows, tile, columns, tile, 3).swapaxes(1, 2).reshape(-1, tile, tile, 3)
    overview = np.asarray(image.resize((tile, tile), Image.Resampling.LANCZOS))
    return np.concatenate([parts, overview[None]])


def _to_multiples(width: int, height: int, tile: int) -> tuple[int, int]:
    """Both edges rounded up to multiples of `tile`: the longer one first, the other from it by the aspect ratio."""
    aspect = width / height
    if width >= height:
        width = math.ceil(width / tile) * tile
        height = math.ceil(max(1, int(width / aspect)) / tile) * tile
    else:
        height = math.ceil(height / tile) * tile
        width = math.ceil(max(1, int(height * aspect)) / tile) * tile
    return width, height


def check_resolution(name: str, resolution: int, tile: int) -> None:
    """Raises ValueError unless images with this longest edge can be cut into tiles of `tile` pixels, both in pixels.

    `name` is what the message calls the option.
    """
    if resolution % tile:
        raise ValueError(f"{name} {resolution} must be a multiple of the model's tiles, {tile} pixels")
    if resolution > MAX_GRID * tile:
        raise ValueError(f"{name} {resolution} is too large: the model's tiles have names up to {MAX_GRID * tile}")
