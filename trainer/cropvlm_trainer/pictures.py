"""Opens a picture as the service sees it (`src/image/decode.ts`): upright, RGB of 8 bits, alpha on white."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""The errors that Pillow's decoders are known to raise for broken files."""
GREY_STEPS = {"L;2": 85, "L;4": 17}
"""By what Pillow multiplies the values of a PNG of 2 or 4 bits, but not the value that it names as transparent."""


def open_picture(path: Path) -> Image.Image:
    """Reads a picture's first frame, decoded whole.

    Raises FileNotFoundError without a file, and ValueError where it cannot be decoded; both messages name the path.
    """
    if not path.is_file():
        raise FileNotFoundError(f"the picture {path} is not there; put it back, or take its rows out of the data set")
    try:
        with Image.open(path) as image:
            return decoded(image)
    except BROKEN as error:
        raise ValueError(
            f"the picture {path} cannot be decoded ({reason(error)}); put a whole one there, or take its rows out"
        ) from error


open_image = lru_cache(maxsize=8)(open_picture)
"""`open_picture` for callers that come to the same picture several times in a row: it keeps the last 8."""


def decoded(image: Image.Image) -> Image.Image:
    """Returns an image that Pillow has opened as the service sees it. Raises what is in `BROKEN`.

    Where the file has 16 bits a channel and alpha too, Pillow drops the low byte first: a value may be 2 off libvips'.
    CMYK is converted by Pillow's formula, without the file's profile.
    """
    clear = _clear_value(image)
    image = ImageOps.exif_transpose(image)
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _from_16_bits(image, clear)
    if clear is not None:
        image.info["transparency"] = clear
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return image.convert("RGB")


def reason(error: Exception) -> str:
    """Returns what is wrong with a file, in words that are the same in each run; Pillow's may hold an address."""
    if isinstance(error, UnidentifiedImageError):
        return "it is no image, or of a format that is not read"
    return str(error) or type(error).__name__


def _clear_value(image: Image.Image) -> int | tuple[int, ...] | bytes | None:
    """Returns what a PNG's tRNS chunk names as transparent, in the values that Pillow gives the pixels."""
    clear, tiles = image.info.get("transparency"), getattr(image, "tile", None)
    rawmode = tiles[0].args if tiles else None
    if isinstance(clear, int) and rawmode in GREY_STEPS:
        return clear * GREY_STEPS[rawmode]
    if isinstance(clear, tuple) and rawmode == "RGB;16B":
        return tuple(value >> 8 for value in clear)
    return clear


def _from_16_bits(image: Image.Image, clear: object) -> Image.Image:
    """Returns grey of 16 bits as RGB: the low byte is dropped, as libvips does; Pillow would clip all above 255."""
    values = np.asarray(image)
    if image.mode == "I":
        values = values.clip(0, 65535)
    grey = np.where(values == clear, 255, values >> 8) if isinstance(clear, int) else values >> 8
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """Returns an RGBA image on white. libvips rounds down, which Pillow's `alpha_composite` does not."""
    rgba = np.asarray(image)
    if rgba[..., 3].min(initial=255) == 255:
        return image.convert("RGB")
    alpha = rgba[..., 3:].astype(np.uint16)
    return Image.fromarray(((rgba[..., :3] * alpha + 255 * (255 - alpha)) // 255).astype(np.uint8))
