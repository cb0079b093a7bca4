"""Coloured shapes with a number under each: "What number is under the red circle?"."""

from __future__ import annotations

import math
from random import Random

from PIL import ImageDraw

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.synth.page import (
    Color,
    Page,
    Question,
    draw_text,
    ink_for,
    luminance,
    random_background,
    random_font,
    union,
)

COLORS: dict[str, Color] = {
    "red": (215, 35, 40),
    "green": (40, 160, 60),
    "blue": (40, 80, 215),
    "yellow": (240, 205, 30),
    "purple": (140, 50, 170),
    "orange": (245, 130, 25),
}
SHAPES = ("circle", "square", "triangle", "star", "cross")
MAX_SHAPES = 8


def random_number(rng: Random) -> str:
    """Returns three digits, the first one not 0."""
    return str(rng.randrange(100, 1000))


def question_about(color: str, shape: str) -> str:
    return f"What number is under the {color} {shape}?"


def make(rng: Random, max_shapes: int = MAX_SHAPES) -> Page:
    """Draws a page of four to eight shapes, or of only the first `max_shapes` of them."""
    image, paper = random_background(rng)
    draw = ImageDraw.Draw(image)
    unit = min(image.size)
    columns, rows = rng.randint(3, 4), rng.randint(3, 4)
    cells = rng.sample([(c, r) for c in range(columns) for r in range(rows)], rng.randint(4, MAX_SHAPES))
    kinds = rng.sample([(color, shape) for color in COLORS for shape in SHAPES], len(cells))
    cells, kinds = cells[:max_shapes], kinds[:max_shapes]
    face = random_font(rng, unit * rng.uniform(0.025, 0.032))
    plated = luminance(paper) > 150 and rng.random() < 0.3
    ink = ink_for(rng, (255, 255, 255) if plated else paper)
    questions = []
    for (column, row), (color, shape) in zip(cells, kinds, strict=True):
        cell_w, cell_h = image.width / columns, image.height / rows
        size = unit * rng.uniform(0.095, 0.135)
        room_x, room_y = (cell_w - size) / 2 - 4, (cell_h - size * 1.5) / 2 - 4
        x = (column + 0.5) * cell_w + rng.uniform(-1, 1) * max(room_x, 0)
        y = (row + 0.5) * cell_h + rng.uniform(-1, 1) * max(room_y, 0) - size * 0.2
        fill = tuple(min(255, max(0, v + rng.randint(-18, 18))) for v in COLORS[color])
        body = _draw_shape(draw, shape, x, y, size, fill, rng)  # type: ignore[arg-type]
        number = random_number(rng)
        label_y = body[3] + face.size * rng.uniform(0.25, 0.6)
        if plated:
            plate = draw.textbbox((x, label_y), number, font=face, anchor="mt")
            draw.rectangle((plate[0] - 4, plate[1] - 3, plate[2] + 4, plate[3] + 3), fill=(255, 255, 255))
        answer = draw_text(draw, x, label_y, number, face, ink, "mt")
        questions.append(
            Question(question_about(color, shape), number, answer, union(body, answer), (color, shape), looks=True)
        )
    return Page("shapes", image, questions)


def _draw_shape(
    draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, size: float, fill: Color, rng: Random
) -> Rect:
    """Draws a shape of `size` pixels centred at (x, y) and returns its rectangle."""
    r = size / 2
    rect = (x - r, y - r, x + r, y + r)
    outline = (0, 0, 0) if rng.random() < 0.3 else None
    width = max(1, round(size * 0.03))
    if shape == "circle":
        draw.ellipse(rect, fill=fill, outline=outline, width=width)
    elif shape == "square":
        draw.rectangle(rect, fill=fill, outline=outline, width=width)
    elif shape == "triangle":
        draw.polygon([(x, y - r), (x + r, y + r), (x - r, y + r)], fill=fill, outline=outline, width=width)
    elif shape == "star":
        points = []
        for i in range(10):
            radius = r if i % 2 == 0 else r * 0.42
            angle = -math.pi / 2 + i * math.pi / 5
            points.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
        draw.polygon(points, fill=fill, outline=outline, width=width)
    else:
        arm = r * 0.36
        draw.rectangle((x - arm, y - r, x + arm, y + r), fill=fill)
        draw.rectangle((x - r, y - arm, x + r, y + arm), fill=fill)
    return rect
