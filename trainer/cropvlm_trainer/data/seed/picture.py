"""A row's picture as a big VLM gets it: of a size that the model itself would not change.

Qwen2.5-VL resizes what it gets to sides in multiples of 28 within a number of pixels, and answers in pixels of that.
Sent at such a size, a picture is seen as it is, and pixels to per cent is exact.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from cropvlm_trainer.chat.client import Failed
from cropvlm_trainer.chat.messages import shrunk
from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.images import BROKEN
from cropvlm_trainer.data.seed.arguments import PIXELS, THOUSANDTHS
from cropvlm_trainer.idefics3.image_processing import open_image

FACTOR, LEAST_PIXELS, MOST_PIXELS = 28, 56 * 56, 12_845_056
"""Of Qwen2.5-VL-7B-Instruct's preprocessor_config.json: patches of 14, merged two by two; min_pixels, max_pixels."""
LEAST_EDGE = LEAST_PIXELS // FACTOR
"""The shortest longest edge with which every picture can keep to it and to LEAST_PIXELS."""


def qwen_size(width: int, height: int, longest_edge: int | None) -> tuple[int, int]:
    """The width and height that Qwen2.5-VL keeps, nearest to the picture's; no longer than `longest_edge`.

    Only strips that are short for their shape come out longer: Qwen enlarges what has too few pixels. Raises
    Rejection for a picture over 200 times as long as wide, which Qwen refuses.
    """
    if longest_edge:
        scale = min(1, longest_edge // FACTOR * FACTOR / max(width, height))
        width, height = (max(1, round(side * scale)) for side in (width, height))
    try:
        # Twice, as Qwen will: a strip of 1 : 199 may come out at 1 : 205, which is refused when it is sent.
        for _ in range(2):
            height, width = smart_resize(height, width, FACTOR, LEAST_PIXELS, MOST_PIXELS)
    except ValueError as error:
        raise Rejection("picture too narrow", str(error)) from error
    return width, height


class SentPicture:
    """Makes one row's picture when it is called, and remembers its size, or why there is none."""

    def __init__(self, path: Path, coordinates: str, longest_edge: int | None) -> None:
        self.path, self.coordinates, self.longest_edge = path, coordinates, longest_edge
        self.size: tuple[int, int] | None = None
        self.rejection: Rejection | None = None

    def __call__(self) -> list[Image.Image]:
        """Raises Failed where the picture cannot be sent; `rejection` then says why."""
        try:
            picture = self._fitted(self._opened())
        except Rejection as error:
            # Anew: the traceback would hold on to the picture.
            self.rejection = Rejection(error.reason, str(error))
            raise Failed(str(error)) from error
        self.size = picture.size
        return [picture]

    def span(self) -> tuple[float, float]:
        """The coordinates of its lower right corner, once it has been made."""
        if self.coordinates == PIXELS:
            return self.size
        return (1000, 1000) if self.coordinates == THOUSANDTHS else (1, 1)

    def _opened(self) -> Image.Image:
        try:
            return open_image(self.path)
        except (*BROKEN, Image.DecompressionBombError) as error:
            raise Rejection("undecodable image", f"{self.path}: {error or type(error).__name__}") from error

    def _fitted(self, picture: Image.Image) -> Image.Image:
        if self.coordinates != PIXELS:
            return shrunk(picture, self.longest_edge)
        size = qwen_size(*picture.size, self.longest_edge)
        return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
