"""Parts that invoices, forms and tables share: a sheet of paper with its type, and pairs of labels and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from cropvlm_trainer.data.synth.documents.fonts import SANS, SERIF, TILL, Family, Fonts
from cropvlm_trainer.data.synth.documents.layout import BLACK, Entry, Layout, Pen, Type
from cropvlm_trainer.data.synth.page import Color

SHEETS = ((1131, 1600), (1131, 1600), (1236, 1600), (1600, 1131), (1000, 1414))
"""Pixels of A4, Letter, and A4 across."""


@dataclass
class Sheet:
    """A sheet in the making, with one family and one accent colour."""

    layout: Layout
    family: Family
    size: int
    accent: Color
    pen: Pen

    @property
    def bold(self) -> Type:
        return Type(self.family.bold, self.size)

    def head(self, factor: float, color: Color = BLACK) -> Type:
        return Type(self.family.bold, round(self.size * factor), color=color)


def sheet(rng: Random, fonts: Fonts, size: tuple[int, int], type_share: tuple[float, float]) -> Sheet:
    """Returns an empty sheet of `size` pixels; its type is within `type_share` of its width."""
    width, height = size
    look = rng.choices((SANS, SERIF, TILL), weights=(6, 2, 1))[0]
    family, pixels = fonts.pick(rng, look), round(min(size) * rng.uniform(*type_share))
    layout = Layout(width, height)
    accent = BLACK if rng.random() < 0.5 else tuple(rng.randint(0, 150) for _ in range(3))
    margin = width * rng.uniform(0.05, 0.1)
    pen = Pen(
        layout,
        Type(family.regular, pixels),
        margin,
        width - margin,
        height * rng.uniform(0.05, 0.1),
        pixels * rng.uniform(1.3, 1.7),
    )
    return Sheet(layout, family, pixels, accent, pen)  # type: ignore[arg-type]


def set_pairs(rng: Random, pen: Pen, pairs: Sequence[tuple[str, str]], left: float, right: float, head: Type) -> None:
    """Sets pairs below each other between `left` and `right`, in one of the ways of printed papers."""
    style = rng.choice(("column", "ends", "beside", "beside"))
    colon = rng.choice((":", ":", ""))
    widest = max(head.width(label) for label, _ in pairs) + pen.type.size * rng.uniform(0.8, 2)
    for label, value in pairs:
        if style == "beside" or left + widest + pen.type.width(value) > right:
            label_mark = pen.put(label + colon, left, type=head, room=right - left)
            at = left + head.width(label_mark.text) + pen.type.size * 0.4
            text = pen.put(value, at, room=right - at)
        else:
            pen.put(label + colon, left, type=head)
            text = pen.put(value, left + widest) if style == "column" else pen.put(value, right, "r")
        if text.text == value:
            pen.layout.entries.append(Entry(label, value, text))
        pen.down()
