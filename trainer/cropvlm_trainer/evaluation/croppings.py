"""The boxes an evaluation compares: the true one, a random one, human boxes grown or shrunk, the cropper's."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from PIL import Image

from cropvlm_trainer.boxes import Box, expanded, taught_region, to_box
from cropvlm_trainer.contract import to_pixels
from cropvlm_trainer.metrics.exact_and_iou import Rect

Cropping = Sequence[Rect | None]
"""A box a question, per cent; None where the cropper gave no valid one, and the full image stands in."""


def reference_croppings(rows: Sequence[dict], seed: int) -> dict[str, Cropping]:
    """The true box, grown as the cropper was taught, and a box of the same size elsewhere. Every row has a box."""
    rng = Random(seed)
    true = [to_box(taught_region(row["box"])) for row in rows]
    return {"true box": true, "random box": [moved(rng, box) for box in true]}


def expanded_croppings(rows: Sequence[dict], factors: Sequence[float]) -> dict[str, Cropping]:
    """The rows' own boxes at multiples of their area (paper, Appendix G)."""
    return {expanded_name(factor): [expanded(row["box"], factor) for row in rows] for factor in factors}


def expanded_name(factor: float) -> str:
    return f"own box x {factor:g}"


def moved(rng: Random, box: Box) -> Box:
    """A box of the same size anywhere on the page."""
    w, h = box[2] - box[0], box[3] - box[1]
    x, y = rng.randint(0, 100 - w), rng.randint(0, 100 - h)
    return x, y, x + w, y + h


def cut(image: Image.Image, box: Rect | None) -> Image.Image:
    """The crop, from the original pixels; the whole image where there is no box."""
    return image.crop(to_pixels(box or (0, 0, 100, 100), *image.size))
