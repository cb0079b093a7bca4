"""What stands on a document and where, before it is painted: marks, and what can be asked about them.

Coordinates are pixels of the document, from its top left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random

from PIL import Image, ImageDraw

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.synth.documents.fonts import face
from cropvlm_trainer.data.synth.page import Color, luminance, union

BLACK: Color = (0, 0, 0)
SAME_LINE, WORD_GAP = 0.4, 0.75
"""How far two texts of one line are apart at most, in heights of the first: vertically, and horizontally."""


@dataclass(frozen=True)
class Type:
    """How a text is set."""

    path: str
    """of the font"""
    size: int
    wide: float = 1.0
    """by what its width is multiplied, as tills print in double width"""
    color: Color = BLACK

    def width(self, text: str) -> float:
        return face(self.path, self.size).getlength(text) * self.wide

    def times(self, factor: float, **more) -> Type:
        """Returns this type in another size."""
        return replace(self, size=max(8, round(self.size * factor)), **more)


@dataclass(frozen=True, eq=False)
class Text:
    text: str
    x: float
    """left"""
    y: float
    """the baseline"""
    type: Type

    @cached_property
    def rect(self) -> Rect:
        """The rectangle around its glyphs, with the room that the first and last have at their sides."""
        x1, y1, x2, y2 = face(self.type.path, self.type.size).getbbox(self.text, anchor="ls")
        return self.x + x1 * self.type.wide, self.y + y1, self.x + x2 * self.type.wide, self.y + y2

    def draw(self, image: Image.Image, draw: ImageDraw.ImageDraw) -> None:
        font, ink = face(self.type.path, self.type.size), _ink(image, self.type.color)
        if self.type.wide == 1:
            draw.text((self.x, self.y), self.text, ink, font, anchor="ls")
            return
        x1, y1, x2, y2 = font.getbbox(self.text, anchor="ls")
        letters = Image.new("L", (int(x2 - x1) + 2, int(y2 - y1) + 2))
        ImageDraw.Draw(letters).text((-x1, -y1), self.text, 255, font, anchor="ls")
        letters = letters.resize((max(1, round(letters.width * self.type.wide)), letters.height))
        image.paste(ink, (round(self.x + x1 * self.type.wide), round(self.y + y1)), letters)


@dataclass(frozen=True)
class Rule:
    """A straight line, or one of dashes of `dash` pixels."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: int = 2
    color: Color = BLACK
    dash: float = 0

    def draw(self, image: Image.Image, draw: ImageDraw.ImageDraw) -> None:
        ink = _ink(image, self.color)
        if not self.dash:
            draw.line((self.x1, self.y1, self.x2, self.y2), ink, self.width)
            return
        x = self.x1
        while x < self.x2:
            draw.line((x, self.y1, min(self.x2, x + self.dash * 0.6), self.y1), ink, self.width)
            x += self.dash


@dataclass(frozen=True)
class Panel:
    """A filled rectangle, a frame, or both; with round corners where there is a radius."""

    rect: Rect
    fill: Color | None = None
    line: Color | None = None
    width: int = 2
    radius: float = 0

    def draw(self, image: Image.Image, draw: ImageDraw.ImageDraw) -> None:
        fill, line = (color and _ink(image, color) for color in (self.fill, self.line))
        if self.radius:
            draw.rounded_rectangle(self.rect, self.radius, fill, line, self.width)
        else:
            draw.rectangle(self.rect, fill, line, self.width)


@dataclass(frozen=True)
class Cells:
    """Black and white cells: a bar code of one row, or a square code of many."""

    rect: Rect
    cells: tuple[str, ...]
    """a row of "0" and "1" each"""

    def draw(self, image: Image.Image, draw: ImageDraw.ImageDraw) -> None:
        pattern = Image.new("L", (len(self.cells[0]), len(self.cells)))
        pattern.putdata([255 * int(cell) for row in self.cells for cell in row])
        x1, y1, x2, y2 = (round(v) for v in self.rect)
        image.paste(_ink(image, BLACK), (x1, y1), pattern.resize((x2 - x1, y2 - y1), Image.Resampling.NEAREST))


@dataclass(frozen=True)
class Disc:
    """A filled ellipse: parts of drawn emblems."""

    rect: Rect
    color: Color = BLACK

    def draw(self, image: Image.Image, draw: ImageDraw.ImageDraw) -> None:
        draw.ellipse(self.rect, _ink(image, self.color))


@dataclass(frozen=True)
class Stroke:
    """A line of a pen, through some points."""

    points: tuple[tuple[float, float], ...]
    width: int
    color: Color

    def draw(self, image: Image.Image, draw: ImageDraw.ImageDraw) -> None:
        draw.line(self.points, _ink(image, self.color), self.width, joint="curve")


Mark = Text | Rule | Panel | Cells | Disc | Stroke


@dataclass(frozen=True)
class Entry:
    """A label and its value."""

    label: str
    answer: str
    text: Text
    """what shows the value"""
    is_money: bool = False


@dataclass(frozen=True)
class Fact:
    """Something that is asked for in ways of its own."""

    questions: tuple[str, ...]
    """of the same meaning"""
    answer: str
    text: Text
    is_cell: bool = False
    """whether it is one of many like it on the page, as the cells of a table are"""
    field: str = ""
    """total, date or company; "" for others"""


@dataclass
class Layout:
    width: float
    height: float = 0
    marks: list[Mark] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    paper: Color = (255, 255, 255)
    print: str = "laser"
    """one of `paint.PRINTS`"""
    squeeze: float = 1.0
    """by what its width is multiplied when it is painted: tills' type is narrow"""

    @property
    def is_grey(self) -> bool:
        colors = [mark.color if not isinstance(mark, Text | Panel | Cells) else None for mark in self.marks]
        colors += [mark.type.color for mark in self.marks if isinstance(mark, Text)]
        colors += [color for mark in self.marks if isinstance(mark, Panel) for color in (mark.fill, mark.line)]
        return all(color is None or len(set(color)) == 1 for color in [*colors, self.paper])

    def texts(self) -> list[Text]:
        return [mark for mark in self.marks if isinstance(mark, Text)]

    def lines(self) -> list[list[Text]]:
        """Returns the texts as an OCR sees them, in reading order: those that stand close to each other as one line.

        Rules that are made of characters are none.
        """
        lines: list[list[Text]] = []
        words = (text for text in self.texts() if any(map(str.isalnum, text.text)))
        for text in sorted(words, key=lambda text: (round(text.y), text.x)):
            if lines and _continues(lines[-1][-1].rect, text.rect):
                lines[-1].append(text)
            else:
                lines.append([text])
        return lines


def rect_of(texts: Sequence[Text]) -> Rect:
    rect = texts[0].rect
    for text in texts[1:]:
        rect = union(rect, text.rect)
    return rect


def _continues(left: Rect, right: Rect) -> bool:
    height = left[3] - left[1]
    apart = abs(left[1] + left[3] - right[1] - right[3]) / 2
    return apart < SAME_LINE * height and -height < right[0] - left[2] < WORD_GAP * max(height, right[3] - right[1])


def _ink(image: Image.Image, color: Color) -> int | Color:
    return round(luminance(color)) if image.mode == "L" else color


class Pen:
    """Sets texts line by line, from the top of a layout to its bottom."""

    def __init__(self, layout: Layout, type: Type, left: float, right: float, y: float, pitch: float) -> None:
        """`y` is the baseline of the first line, and `pitch` the distance of two lines."""
        self.layout, self.type, self.left, self.right, self.y, self.pitch = layout, type, left, right, y, pitch

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    def down(self, lines: float = 1) -> None:
        self.y += self.pitch * lines

    def put(
        self, text: str, x: float | None = None, align: str = "l", type: Type | None = None, room: float = 0
    ) -> Text:
        """Sets a text on the line, from `x`, about it or up to it; `room`: cuts it off where it is wider."""
        kind = type or self.type
        room = room or self.right - self.left
        while kind.width(text) > room and len(text) > 1:
            text = text[:-1].rstrip()
        x = {"l": self.left, "c": self.middle, "r": self.right}[align] if x is None else x
        x -= kind.width(text) * {"l": 0, "c": 0.5, "r": 1}[align]
        mark = Text(text, x, self.y, kind)
        self.layout.marks.append(mark)
        return mark

    def rule(self, rng: Random, style: str, x1: float | None = None) -> None:
        """Draws across the line: `style` is a character to be repeated, "line" or "dash"."""
        x1 = self.left if x1 is None else x1
        if style in ("line", "dash"):
            y, dash = self.y - self.type.size * 0.3, self.type.size * 0.4 if style == "dash" else 0
            self.layout.marks.append(Rule(x1, y, self.right, y, rng.choice((1, 2, 2, 3)), BLACK, dash))
        else:
            width = self.type.width(style)
            self.layout.marks.append(Text(style * int((self.right - x1) / width), x1, self.y, self.type))
