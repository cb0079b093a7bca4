"""A synthetic page: an image, and questions whose answers are too small to be read from the whole image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cropvlm_trainer.boxes import Rect

Color = tuple[int, int, int]

FONT_FILES = (
    ("font_roboto", "Roboto-Regular.ttf"),
    ("font_roboto", "Roboto-Bold.ttf"),
    ("font_roboto", "Roboto-Italic.ttf"),
    ("font_source_sans_pro", "SourceSansPro-Regular.ttf"),
    ("font_source_sans_pro", "SourceSansPro-Semibold.ttf"),
    ("font_source_sans_pro", "SourceSansPro-Bold.ttf"),
    ("font_source_serif_pro", "SourceSerifPro-Regular.ttf"),
    ("font_source_serif_pro", "SourceSerifPro-Semibold.ttf"),
    ("font_source_serif_pro", "SourceSerifPro-Bold.ttf"),
    ("font_caladea", "Caladea-Regular.ttf"),
    ("font_caladea", "Caladea-Bold.ttf"),
    ("font_fredoka_one", "FredokaOne-Regular.ttf"),
    ("font_hanken_grotesk", "HankenGrotesk-Medium.otf"),
    ("font_hanken_grotesk", "HankenGrotesk-Bold.otf"),
    ("font_manrope", "Manrope-Medium.ttf"),
    ("font_manrope", "Manrope-Bold.ttf"),
)


@dataclass(frozen=True)
class Question:
    """A question about a page. Rectangles are in pixels of the page."""

    text: str
    answer: str
    answer_rect: Rect
    """The smallest rectangle around the answer's glyphs."""
    evidence_rect: Rect
    """Around all that one has to see to answer: the answer, and the thing by which the question names it."""
    names: tuple[str, str]
    """The two words of the question that identify the evidence; where one word does, that word twice."""
    looks: bool = False
    """Whether the names describe the evidence's look, so that it can be found in a small image: "red circle" does, "row
    2" does not."""


@dataclass
class Page:
    kind: str
    image: Image.Image
    questions: list[Question]

    def to_percent(self, rect: Rect) -> Rect:
        """Turns a rectangle in pixels of the page into per cent of it."""
        width, height = self.image.size
        x1, y1, x2, y2 = rect
        return (100 * x1 / width, 100 * y1 / height, 100 * x2 / width, 100 * y2 / height)


@cache
def font(index: int, size: int) -> ImageFont.FreeTypeFont:
    """Returns one of `FONT_FILES` at a size in pixels. Raises FileNotFoundError where its package is not installed."""
    package, file = FONT_FILES[index]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the font package {package} is not installed: pip install -e trainer")
    return ImageFont.truetype(str(Path(spec.origin).parent / "files" / file), size)


def random_font(rng: Random, size: float) -> ImageFont.FreeTypeFont:
    return font(rng.randrange(len(FONT_FILES)), round(size))


def luminance(color: Color) -> float:
    """Returns the brightness of a colour, 0..255 (ITU-R BT.601)."""
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def ink_for(rng: Random, paper: Color) -> Color:
    """Returns a random colour for text on this paper: dark on light paper, light on dark paper."""
    if luminance(paper) > 128:
        return tuple(rng.randint(0, 60) for _ in range(3))  # type: ignore[return-value]
    return tuple(rng.randint(205, 255) for _ in range(3))  # type: ignore[return-value]


def random_background(rng: Random) -> tuple[Image.Image, Color]:
    """Returns an image of random size and texture, and its mean colour."""
    longest = rng.randint(640, 960)
    shortest = round(longest * rng.uniform(0.7, 1.0))
    width, height = (longest, shortest) if rng.random() < 0.5 else (shortest, longest)
    light = rng.random() < 0.75
    low, high = (190, 255) if light else (10, 70)
    base = np.array([rng.randint(low, high) for _ in range(3)], dtype=np.float32)
    other = np.array([rng.randint(low, high) for _ in range(3)], dtype=np.float32)
    style = rng.choice(("plain", "gradient", "blobs", "stripes"))
    if style == "plain":
        field = np.zeros((1, 1), dtype=np.float32)
    elif style == "gradient":
        field = np.linspace(0, 1, 64, dtype=np.float32)[None, :]
        if rng.random() < 0.5:
            field = field.T
    elif style == "blobs":
        field = np.random.default_rng(rng.getrandbits(32)).random((rng.randint(3, 12), rng.randint(3, 12)))
    else:
        field = (np.arange(rng.randint(8, 40)) % 2 * 0.5)[None, :]
        if rng.random() < 0.5:
            field = field.T
    pixels = base + (other - base) * field[..., None]
    small = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")
    resample = Image.Resampling.NEAREST if style == "stripes" else Image.Resampling.BILINEAR
    mean = tuple(int(v) for v in pixels.reshape(-1, 3).mean(axis=0))
    return small.resize((width, height), resample), mean  # type: ignore[return-value]


def draw_text(
    draw: ImageDraw.ImageDraw,
    x: float,
    y: float,
    text: str,
    face: ImageFont.FreeTypeFont,
    ink: Color,
    anchor: str,
) -> Rect:
    """Draws one line of text and returns the smallest rectangle around its glyphs, in pixels."""
    draw.text((x, y), text, font=face, fill=ink, anchor=anchor)
    return draw.textbbox((x, y), text, font=face, anchor=anchor)


def union(a: Rect, b: Rect) -> Rect:
    """Returns the smallest rectangle that contains both."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
