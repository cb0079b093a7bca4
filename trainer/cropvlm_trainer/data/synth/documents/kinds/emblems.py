"""Drawn things that are no text: a shop's emblem, a bar code."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.data.synth.documents.layout import Cells, Disc, Panel, Pen

WHITE = (255, 255, 255)


def emblem(rng: Random, pen: Pen) -> None:
    """Draws an invented emblem above the pen's line, about its middle, and goes on below it."""
    size = pen.pitch * rng.uniform(2, 4.5)
    top, left = pen.y - pen.pitch, pen.middle - size * rng.uniform(0.5, 0.9)
    right, marks = 2 * pen.middle - left, pen.layout.marks
    kind = rng.randrange(3)
    if kind == 0:
        marks.append(Disc((left, top, right, top + size)))
        for _ in range(rng.randint(1, 4)):
            x, y, r = rng.uniform(left, right), rng.uniform(top, top + size), size * rng.uniform(0.08, 0.25)
            marks.append(Disc((x - r, y - r, x + r, y + r), WHITE))
    elif kind == 1:
        marks.append(
            Panel((left, top, right, top + size), None, (0, 0, 0), rng.randint(2, 6), size * rng.uniform(0, 0.4))
        )
        for step in range(rng.randint(2, 5)):
            at = left + (right - left) * (0.1 + 0.18 * step)
            marks.append(Panel((at, top + size * rng.uniform(0.1, 0.6), at + size * 0.1, top + size * 0.88), (0, 0, 0)))
    else:
        cells = rng.randint(4, 7)
        half = [[rng.choice("01") for _ in range(cells)] for _ in range(cells)]
        marks.append(Cells((left, top, right, top + size), tuple("".join(row + row[::-1]) for row in half)))
    pen.y = top + size + pen.pitch * rng.uniform(1, 1.6)


def bar_code(rng: Random, pen: Pen) -> None:
    """Draws a bar code, or a square one, about the middle of the pen's line, and goes on below it."""
    square, top = rng.random() < 0.3, pen.y
    side = rng.randint(21, 33) if square else rng.randint(60, 110)
    cells = tuple("".join(rng.choice("01") for _ in range(side)) for _ in range(side if square else 1))
    width = (pen.right - pen.left) * (rng.uniform(0.25, 0.45) if square else rng.uniform(0.5, 0.9))
    height = width if square else pen.pitch * rng.uniform(1.5, 3)
    pen.layout.marks.append(Cells((pen.middle - width / 2, top, pen.middle + width / 2, top + height), cells))
    pen.y = top + height + pen.pitch
    if not square and rng.random() < 0.6:
        pen.put("".join(rng.choice("0123456789") for _ in range(rng.choice((8, 12, 13)))), align="c")
        pen.down()
