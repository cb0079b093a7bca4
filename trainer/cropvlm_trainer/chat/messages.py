"""The message of a chat completion: pictures as base64 data URLs in the order full, crop, then the contract's text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

QUALITY = 90
"""Of the JPEGs, which keep their full chroma: as the service sends them."""
LONGEST_JPEG = 65_500


@dataclass(frozen=True)
class Question:
    """One prompt. Its pictures, in prompt order, are made when they are needed: a set of 8k images fills no memory."""

    text: str
    pictures: Callable[[], list[Image.Image]]


def user_message(text: str, pictures: Sequence[Image.Image], longest_edge: int | None) -> dict:
    images = [{"type": "image_url", "image_url": {"url": data_url(shrunk(p, longest_edge))}} for p in pictures]
    return {"role": "user", "content": [*images, {"type": "text", "text": text}]}


def shrunk(picture: Image.Image, longest_edge: int | None) -> Image.Image:
    """The picture with its longest edge at most this many pixels; a smaller one stays as it is."""
    scale = min(longest_edge or LONGEST_JPEG, LONGEST_JPEG) / max(picture.size)
    if scale >= 1:
        return picture
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def data_url(picture: Image.Image) -> str:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
