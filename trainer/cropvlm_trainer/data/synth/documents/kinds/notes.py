"""What people have put on a receipt later: numbers and names by hand or as stuck labels, circles, ticks."""

from __future__ import annotations

import math
from random import Random

from cropvlm_trainer.data.synth.documents.content import values
from cropvlm_trainer.data.synth.documents.fonts import HAND, SANS, Fonts
from cropvlm_trainer.data.synth.documents.layout import BLACK, Layout, Pen, Stroke, Text, Type
from cropvlm_trainer.data.synth.page import Color

INKS: tuple[Color, ...] = (BLACK, BLACK, (50, 50, 50), (90, 90, 90), (30, 40, 150))


def note(rng: Random, fonts: Fonts, pen: Pen) -> None:
    """Sets a number or a name on the pen's line, and goes on some lines below."""
    by_hand = fonts.has(HAND) and rng.random() < 0.7
    family = fonts.pick(rng, HAND if by_hand else SANS)
    size = pen.type.size * (rng.uniform(1.4, 2.4) if by_hand else rng.uniform(1.0, 1.8))
    kind = Type(family.regular, round(size), color=rng.choice(INKS) if by_hand else BLACK)
    text = values.person(rng) if rng.random() < 0.25 else values.code(rng)
    room = (pen.right - pen.left) * 0.9
    x = pen.left + rng.random() * max(0.0, room - kind.width(text))
    pen.put(text, x, type=kind, room=room)
    pen.y += kind.size * rng.uniform(1.2, 2.2)


def circled(rng: Random, text: Text, layout: Layout) -> None:
    """Draws a line around a text by hand, or a tick behind it."""
    x1, y1, x2, y2 = text.rect
    ink, width = rng.choice(INKS), rng.randint(2, 4)
    if rng.random() < 0.3:
        size, x = (y2 - y1) * rng.uniform(1, 2), x2 + rng.uniform(2, 8)
        points = [(x, y2 - size * 0.4), (x + size * 0.3, y2), (x + size, y2 - size)]
    else:
        x, y, across, down = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) * 0.62 + 8, (y2 - y1) * rng.uniform(0.8, 1.6)
        start, wobble = rng.uniform(0, 6), rng.uniform(0.9, 1.15)
        points = []
        for step in range(40):
            angle, grown = start + step * 0.17, 1 + (wobble - 1) * step / 40
            points.append((x + across * grown * math.cos(angle), y + down * grown * math.sin(angle)))
    layout.marks.append(Stroke(tuple(points), width, ink))
