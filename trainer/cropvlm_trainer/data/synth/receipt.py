"""A till receipt lying on a table: "What is the total?", "What is the date?", "What is the order number?"."""

from __future__ import annotations

from random import Random

from PIL import ImageDraw

from cropvlm_trainer.boxes import Rect
from cropvlm_trainer.data.synth.page import Page, Question, draw_text, random_background, random_font

SHOPS = (
    "Corner Deli",
    "Blue Cafe",
    "City Books",
    "Green Market",
    "Old Bakery",
    "Sea Grill",
    "Tea House",
    "Toy Box",
)
GOODS = (
    "Bread",
    "Coffee",
    "Tea",
    "Soup",
    "Salad",
    "Cake",
    "Juice",
    "Milk",
    "Rice",
    "Eggs",
    "Apples",
    "Soap",
    "Pens",
)

QUESTIONS = {"total": "What is the total?", "date": "What is the date?", "order": "What is the order number?"}
"""The questions, by the word that names what is asked for."""


def make(rng: Random) -> Page:
    """Draws a page with a receipt and its three questions."""
    image, _ = random_background(rng)
    draw = ImageDraw.Draw(image)
    unit = min(image.size)
    size = unit * rng.uniform(0.026, 0.030)
    face, head = random_font(rng, size), random_font(rng, size * 1.25)
    pitch = size * rng.uniform(1.3, 1.5)
    width = size * rng.uniform(11, 14)
    goods = [(name, rng.randint(80, 1999)) for name in rng.sample(GOODS, rng.randint(2, 4))]
    tax = round(sum(price for _, price in goods) * 0.1)
    total = f"{(sum(price for _, price in goods) + tax) / 100:.2f}"
    date = f"{rng.randint(1, 28):02d}/{rng.randint(1, 12):02d}"
    order = str(rng.randrange(100, 1000))
    height = pitch * (len(goods) + 11.8)
    left = rng.uniform(0.03 * image.width, image.width - width - 0.03 * image.width)
    top = rng.uniform(0.03 * image.height, max(0.03 * image.height, image.height * 0.97 - height))
    paper = tuple(rng.randint(238, 255) for _ in range(3))
    ink = tuple(rng.randint(0, 50) for _ in range(3))
    draw.rectangle((left, top, left + width, top + height), fill=paper, outline=(120, 120, 120), width=2)
    inner_l, inner_r = left + size * 0.8, left + width - size * 0.8
    y = top + pitch * 0.7

    def line(label: str, value: str, font) -> Rect:
        """Draws a line with a label at the left and a value at the right; returns the value's rectangle."""
        draw_text(draw, inner_l, y, label, font, ink, "lt")  # type: ignore[arg-type]
        return draw_text(draw, inner_r, y, value, font, ink, "rt")  # type: ignore[arg-type]

    draw_text(draw, left + width / 2, y, rng.choice(SHOPS), head, ink, "mt")  # type: ignore[arg-type]
    y += pitch * 2
    date_rect = line("Date", date, face)
    y += pitch * 1.6
    order_rect = line("Order", order, face)
    y += pitch * 1.6
    draw.line((inner_l, y, inner_r, y), fill=ink, width=2)
    y += pitch * 0.6
    for name, price in goods:
        line(name, f"{price / 100:.2f}", face)
        y += pitch
    line("Tax", f"{tax / 100:.2f}", face)
    y += pitch * 1.2
    draw.line((inner_l, y, inner_r, y), fill=ink, width=4)
    y += pitch * 0.8
    total_rect = line("TOTAL", total, random_font(rng, size * 1.15))
    y += pitch * 2
    draw_text(draw, left + width / 2, y, "Thank you", face, ink, "mt")  # type: ignore[arg-type]
    questions = [
        Question(text, answer, rect, rect, (name, name))
        for (name, text), answer, rect in zip(
            QUESTIONS.items(), (total, date, order), (total_rect, date_rect, order_rect), strict=True
        )
    ]
    return Page("receipt", image, questions)
