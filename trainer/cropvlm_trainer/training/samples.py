"""Sample pictures of a run folder: what a model found on a page, to be looked at while it trains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import to_pixels

LONGEST_EDGE, NARROWEST = 768, 384
"""pixels: pages are shrunk to the one, never enlarged; a narrower page gets a strip as wide as the other"""
FOUND, TRUE, PAPER, INK = "#d81b60", "#00a65a", "white", "#202020"
TEXT_SIZE, TAG_SIZE, MARGIN = 17, 13, 8


@dataclass(frozen=True)
class Sample:
    """A question about a page; boxes in per cent."""

    image: Image.Image
    question: str
    boxes: Sequence[Box | None]
    """what the model found, None where it gave no valid box; drawn in red, numbered from 1"""
    truth: Sequence[float] | None = None
    """the true or taught box, drawn in green"""
    note: str = ""


def draw_samples(out: Path, step: int, samples: Sequence[Sample]) -> Path:
    """Writes `out/samples/step-000050/0.jpg` and so on, and returns that folder."""
    folder = out / "samples" / f"step-{step:06d}"
    folder.mkdir(parents=True, exist_ok=True)
    for index, sample in enumerate(samples):
        picture(sample).save(folder / f"{index}.jpg", quality=90)
    return folder


def picture(sample: Sample) -> Image.Image:
    """The page with its boxes, and a strip below with the question, the boxes that are missing, and the note."""
    page = sample.image.convert("RGB")
    page.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    brush = ImageDraw.Draw(page)
    numbers: dict[Box | None, list[str]] = defaultdict(list)
    for number, box in enumerate(sample.boxes, start=1):
        numbers[box].append(str(number))
    missing = f"no valid box: {', '.join(numbers.pop(None))}" if None in numbers else ""
    if sample.truth is not None:
        # Around it, since the answer inside is often no larger than the lines would be.
        _outline(brush, page.size, sample.truth, TRUE, width=4, outwards=4)
    for box, those in numbers.items():
        _outline(brush, page.size, box, FOUND, width=2)
        _tag(brush, page.size, box, ", ".join(those))
    strip = _strip([sample.question, missing, sample.note], max(page.width, NARROWEST))
    whole = Image.new("RGB", (strip.width, page.height + strip.height), PAPER)
    whole.paste(page, (0, 0))
    whole.paste(strip, (0, page.height))
    return whole


def _outline(
    brush: ImageDraw.ImageDraw, size: tuple[int, int], box: Sequence[float], colour: str, width: int, outwards: int = 0
) -> None:
    left, top, right, bottom = to_pixels(box, *size)
    # ImageDraw includes the last row and column, a box does not.
    edges = (left - outwards, top - outwards, right - 1 + outwards, bottom - 1 + outwards)
    brush.rectangle(edges, outline=colour, width=width)


def _tag(brush: ImageDraw.ImageDraw, size: tuple[int, int], box: Box, text: str) -> None:
    """The box's number above its top-left corner, or inside where there is no room above."""
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
    """Lines of whole words, at most `width` pixels each; a word that is wider is broken. Line breaks are kept."""
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
