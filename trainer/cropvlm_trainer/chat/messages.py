"""The message of a chat completion: pictures as base64 data URLs, in the order full image, crop, and then the text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

QUALITY = 90
"""Of the JPEGs. They keep their chroma at full resolution, as those that the service sends."""
MAX_JPEG_EDGE = 65_500
"""Pixels: the most that libjpeg, with which Pillow encodes, takes."""


@dataclass(frozen=True)
class Prompt:
    """What a model is asked: pictures, then a text."""

    text: str
    pictures: Callable[[], list[Image.Image]]
    """Makes the pictures, in their order. It is called when the prompt is sent, so that the pictures of a data set of
    thousands of large images are never in memory all at once; in a thread of its own, beside those of other prompts."""
    pictures_key: str | None = None
    """What the pictures depend on, such as a hash of an image and a box. With it, an answer that is kept is found
    without making them; without it, they are made, and their bytes are compared."""


def user_message(text: str, pictures: Sequence[Image.Image], longest_edge: int | None) -> dict:
    """Returns the message as the endpoint takes it. Pictures are shrunk as `shrunk` says."""
    images = [{"type": "image_url", "image_url": {"url": data_url(shrunk(p, longest_edge))}} for p in pictures]
    return {"role": "user", "content": [*images, {"type": "text", "text": text}]}


def shrunk(picture: Image.Image, longest_edge: int | None) -> Image.Image:
    """Returns the picture with a longest edge of at most this many pixels; smaller ones are returned unchanged.

    None stands for the largest JPEG.
    """
    scale = min(longest_edge or MAX_JPEG_EDGE, MAX_JPEG_EDGE) / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def data_url(picture: Image.Image) -> str:
    """Returns the picture as a JPEG in a `data:` URL."""
    buffer = BytesIO()
    # Pillow keeps the settings of a save in the picture while it lasts, and other threads may be saving the same one.
    picture.copy().save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
