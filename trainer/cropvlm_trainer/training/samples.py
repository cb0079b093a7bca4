"""Sample pictures in a run folder: pages with the boxes that the model gives, to look at while it trains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import to_pixels

MAX_EDGE = 768
"""Longest edge of a drawn page, in pixels; smaller pages are not enlarged."""
MIN_STRIP_WIDTH = 384
"""Pixels; the strip below a page is as wide as the page, or this wide where the page is narrower."""
FOUND, TRUE, PAPER, INK = "#d81b60", "#00a65a", "white", "#202020"
TEXT_SIZE, TAG_SIZE, MARGIN = 17, 13, 8


@dataclass(frozen=True)
class Sample:
    """What one sample picture shows. Boxes are in per cent of the page."""

    image: Image.Image
    question: str
    boxes: Sequence[Box | None]
    """the model's boxes, None where its answer was no valid box; drawn in red and numbered from 1"""
    truth: Sequence[float] | None = None
    """the true or taught box, drawn in green"""
    note: str = ""
    """a text below the question"""


def draw_samples(out: Path, step: int, samples: Sequence[Sample]) -> Path:
    """Writes `out/samples/step-000050/0.jpg`, `1.jpg` and so on; returns that folder."""
    folder = out / "samples" / f"step-{step:06d}"
    folder.mkdir(parents=True, exist_ok=True)
    for index, sample in enumerate(samples):
        picture(sample).save(folder / f"{index}.jpg", quality=90)
    return folder


def picture(sample: Sample) -> Image.Image:
    """Returns the page with its boxes, above a strip with the question, the numbers of invalid boxes, and the note."""
    page = sample.image.convert("RGB")
    page.thumbnail((MAX_EDGE, MAX_EDGE))
    brush = ImageDraw.Draw(page)
    numbers: dict[Box | None, list[str]] = defaultdict(list)
    for number, box in enumerate(sample.boxes, start=1):
        numbers[box].append(str(number))
    missing = f"no valid box: {', '.join(numbers.pop(None))}" if None in numbers else ""
    if sample.truth is not None:
        # The lines lie outside the box, because the answer inside is often no larger than they are.
        _outline(brush, page.size, sample.truth, TRUE, width=4, outwards=4)
    for box, those in numbers.items():
        _outline(brush, page.size, box, FOUND, width=2)
        _tag(brush, page.size, box, ", ".join(those))
    strip = _strip([sample.question, missing, sample.note], max(page.width, MIN_STRIP_WIDTH))
    whole = Image.new("RGB", (strip.width, page.height + strip.height), PAPER)
    whole.paste(page, (0, 0))
    whole.paste(strip, (0, page.height))
    return whole


def _outline(
    brush: ImageDraw.ImageDraw, size: tuple[int, int], box: Sequence[float], colour: str, width: int, outwards: int = 0
) -> None:
    left, top, right, bottom = to_pixels(box, *size)
    # ImageDraw counts the last row and column as part of a rectangle; a box ends before them.
    edges = (left - outwards, top - outwards, right - 1 + outwards, bottom - 1 + outwards)
    brush.rectangle(edges, outline=colour, width=width)


def _tag(brush: ImageDraw.ImageDraw, size: tuple[int, int], box: Box, text: str) -> None:
    """Writes the box's number above its top-left corner, or inside the box where there is no room above it."""
    font = ImageFont.load_default(size=TAG_SIZE)
    left, top, _, _ = to_pixels(box, *size)
    width, height = round(font.getlength(text)) + 6, TAG_SIZE + 3
    left, top = max(min(left, size[0] - width), 0), top - height if top >= height else top
    brush.rectangle((left, top, left + width - 1, top + height - 1), fill=FOUND)
    brush.text((left + width / 2, top + height / 2), text, fill=PAPER, font=font, anchor="mm")


def _strip(texts: Sequence[str], width: int) -> Image.Image:
    font = ImageFont.load_default(size=TEXT_SIZE)
    lines = [line for text in texts for line in wrapped(text, font, width - 2 * MARGIN)]
    height = TEXT_SIZE + 6
    strip = Image.new("RGB", (width, height * len(lines) + 2 * MARGIN), PAPER)
    brush = ImageDraw.Draw(strip)
    for index, line in enumerate(lines):
        brush.text((MARGIN, MARGIN + index * height), line, fill=INK, font=font)
    return strip


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """Breaks a text into lines of at most `width` pixels, between words where possible. Line breaks are kept."""
    lines = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            line, before = f"{line} {word}".strip(), line
            if before and font.getlength(line) > width:
                lines.append(before)
                line = word
            while font.getlength(line) > width and len(line) > 1:
                fits = next(n for n in range(len(line) - 1, 0, -1) if n == 1 or font.getlength(line[:n]) <= width)
                lines.append(line[:fits])
                line = line[fits:]
        if line:
            lines.append(line)
    return lines
