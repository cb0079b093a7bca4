"""A ruled table of numbers somewhere on the page: "What is in row 2, column 3?"."""

from __future__ import annotations

from random import Random

from PIL import ImageDraw

from cropvlm_trainer.data.synth.page import (
    Page,
    Question,
    draw_text,
    ink_for,
    luminance,
    random_background,
    random_font,
)
from cropvlm_trainer.data.synth.shapes import random_number

MAX_LINES = 4
"""Rows, and columns, that a table has at most."""


def question_about(row: int, column: int) -> str:
    """Returns the question about a cell; rows and columns count from 1."""
    return f"What is in row {row}, column {column}?"


def make(rng: Random) -> Page:
    """Draws a page with a table of two to four rows and columns, and a question about each cell."""
    image, paper = random_background(rng)
    draw = ImageDraw.Draw(image)
    unit = min(image.size)
    rows, columns = rng.randint(2, MAX_LINES), rng.randint(2, MAX_LINES)
    cell_w, cell_h = unit * rng.uniform(0.14, 0.19), unit * rng.uniform(0.10, 0.15)
    left = rng.uniform(0.03 * image.width, image.width * 0.97 - cell_w * columns)
    top = rng.uniform(0.03 * image.height, image.height * 0.97 - cell_h * rows)
    face = random_font(rng, unit * rng.uniform(0.026, 0.032))
    shift = -28 if luminance(paper) > 128 else 28
    sheet = tuple(min(255, max(0, v + rng.randint(0, 12) - 6)) for v in paper)
    shaded = tuple(min(255, max(0, v + shift)) for v in sheet)
    ink = ink_for(rng, paper)
    rule = max(2, round(unit * rng.uniform(0.004, 0.008)))
    questions = []
    for row in range(rows):
        for column in range(columns):
            x1, y1 = left + column * cell_w, top + row * cell_h
            cell = (x1, y1, x1 + cell_w, y1 + cell_h)
            fill = shaded if (row + column) % 2 else sheet
            draw.rectangle(cell, fill=fill, outline=ink, width=rule)  # type: ignore[arg-type]
            number = random_number(rng)
            answer = draw_text(draw, x1 + cell_w / 2, y1 + cell_h / 2, number, face, ink, "mm")
            inset_x, inset_y = cell_w * 0.12, cell_h * 0.12
            evidence = (x1 + inset_x, y1 + inset_y, cell[2] - inset_x, cell[3] - inset_y)
            text = question_about(row + 1, column + 1)
            questions.append(Question(text, number, answer, evidence, (str(row + 1), str(column + 1))))
    return Page("table", image, questions)
