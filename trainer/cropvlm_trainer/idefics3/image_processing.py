"""Idefics3 image processing on PIL images (contract, "Image processing"), without transformers' overhead.

The steps are those of transformers 5.18's PIL backend, which the tests compare against bit by bit.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def load_image(path: Path) -> Image.Image:
    """An image file as the service decodes it: upright (EXIF applied), alpha composited on white, RGB."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode != "RGB":
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image


# Several questions ask about one page, and croppings come one after another.
open_image = lru_cache(maxsize=8)(load_image)


def resized_edges(width: int, height: int, longest_edge: int) -> tuple[int, int]:
    """Width and height with the longest edge at `longest_edge`; the other edge truncated and made even."""
    if width >= height:
        other = int(longest_edge / (width / height))
        return longest_edge, max(other + other % 2, 1)
    other = int(longest_edge * (width / height))
    return max(other + other % 2, 1), longest_edge


def tile_grid(width: int, height: int, longest_edge: int, tile: int) -> tuple[int, int]:
    """Rows and columns of the grid that the image is resized to; `(1, 1)` is one tile without a split."""
    w, h = resized_edges(width, height, longest_edge)
    w, h = _to_multiples(w, h, tile)
    return h // tile, w // tile


def tiles(image: Image.Image, longest_edge: int, tile: int) -> np.ndarray:
    """The image as uint8 tiles `[n, tile, tile, 3]`: row-major tiles, then the global view where it is split."""
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
    """The long edge up to the next multiple of `tile`, the other from the aspect and up likewise."""
    aspect = width / height
    if width >= height:
        width = math.ceil(width / tile) * tile
        height = math.ceil(int(width / aspect) / tile) * tile
    else:
        height = math.ceil(height / tile) * tile
        width = math.ceil(int(height * aspect) / tile) * tile
    return width, height
