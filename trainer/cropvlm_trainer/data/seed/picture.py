"""A row's picture as it is sent to a big VLM.

Qwen2.5-VL resizes a picture so that its sides are multiples of 28 and its number of pixels is within two limits, and
answers in pixels of the resized picture. A picture that already has such a size is not resized, so that the pixels of
the answer are those of the picture that was sent.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

from cropvlm_trainer.chat.client import Failed
from cropvlm_trainer.chat.messages import shrunk
from cropvlm_trainer.data.columns import Rejection
from cropvlm_trainer.data.seed.arguments import PIXELS, THOUSANDTHS
from cropvlm_trainer.pictures import open_image

FACTOR, MIN_PIXELS, MAX_PIXELS = 28, 56 * 56, 12_845_056
"""From Qwen2.5-VL-7B-Instruct's preprocessor_config.json: patch_size 14 times merge_size 2, min_pixels, max_pixels."""
MIN_EDGE = MIN_PIXELS // FACTOR
"""The smallest `longest_edge` at which pictures of every shape can have `MIN_PIXELS`: a picture FACTOR pixels wide."""


def qwen_size(width: int, height: int, longest_edge: int | None) -> tuple[int, int]:
    """Returns the width and height, nearest to the picture's, that Qwen2.5-VL does not change. All are in pixels.

    They are at most `longest_edge`, except for narrow pictures with fewer than MIN_PIXELS, which Qwen enlarges.
    Raises Rejection for a picture over 200 times as long as wide, which Qwen refuses.
    """
    if longest_edge:
        scale = min(1, longest_edge // FACTOR * FACTOR / max(width, height))
        width, height = (max(1, round(side * scale)) for side in (width, height))
    try:
        # Qwen resizes the result again. A strip of 1 : 199 may come out at 1 : 205, which Qwen would refuse; the second
        # round finds that out here.
        for _ in range(2):
            height, width = smart_resize(height, width, FACTOR, MIN_PIXELS, MAX_PIXELS)
    except ValueError as error:
        raise Rejection("picture too narrow", str(error)) from error
    return width, height


class SentPicture:
    """Makes one row's picture when it is called, and keeps its size, or the reason why it cannot be sent."""

    def __init__(self, path: Path, coordinates: str, longest_edge: int | None, asked_as: str | None = None) -> None:
        """`coordinates`: what the numbers of the reply are. `asked_as`: for which the picture is made; None: these."""
        self.path, self.coordinates, self.longest_edge = path, coordinates, longest_edge
        self.asked_as = asked_as or coordinates
        self.size: tuple[int, int] | None = None
        self.rejection: Rejection | None = None

    def __call__(self) -> list[Image.Image]:
        """Raises Failed where the picture cannot be sent; `rejection` then says why."""
        try:
            picture = self._fitted(self._opened())
        except Rejection as error:
            # A copy without the traceback, which would keep the picture in memory.
            self.rejection = Rejection(error.reason, str(error))
            raise Failed(str(error)) from error
        self.size = picture.size
        return [picture]

    def span(self) -> tuple[float, float]:
        """Returns the coordinates of the picture's lower right corner in the model's unit.

        They are known only after the picture was made.
        """
        if self.coordinates == PIXELS:
            return self.size
        return (1000, 1000) if self.coordinates == THOUSANDTHS else (1, 1)

    def _opened(self) -> Image.Image:
        try:
            return open_image(self.path)
        except (FileNotFoundError, ValueError) as error:
            raise Rejection("undecodable image", str(error)) from error

    def _fitted(self, picture: Image.Image) -> Image.Image:
        if self.asked_as != PIXELS:
            return shrunk(picture, self.longest_edge)
        size = qwen_size(*picture.size, self.longest_edge)
        return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)
