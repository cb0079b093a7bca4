"""A printed table: its rows and columns have names, and a cell is asked for by both."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.data.synth.documents.content import values, words
from cropvlm_trainer.data.synth.documents.content.labels import NOUNS
from cropvlm_trainer.data.synth.documents.content.words import listed
from cropvlm_trainer.data.synth.documents.fonts import Fonts
from cropvlm_trainer.data.synth.documents.kinds.blocks import SHEETS, sheet
from cropvlm_trainer.data.synth.documents.layout import BLACK, Fact, Layout, Panel, Rule

WHITE = (255, 255, 255)
MAX_ASKED = 16
"""cells of a table that are asked for"""
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TITLE_ENDS = ("overview", "report", "list", "summary", "results", "plan")
MEASURES = listed(
    "Units,Revenue,Cost,Profit,Price,Stock,Orders,Returns,Visitors,Score,Rank,Weight,Height,Speed,Distance,"
    "Duration,Calories,Protein,Fat,Sugar,Sodium,Temperature,Rainfall,Wind,Humidity,Population,Area,Capacity,"
    "Output,Budget,Actual,Change,Share,Target,Wins,Losses,Points,Games,Goals,Start,End,Gate,Platform,Arrival,"
    "Departure"
)
PHRASES = (
    "What is the {column} of {row}?",
    "What is the {column} for {row}?",
    "What does the table give as {column} for {row}?",
    "What is in the row {row}, column {column}?",
    "{row}: what is the {column}?",
)


def make(rng: Random, fonts: Fonts) -> Layout:
    """Returns a sheet with a table."""
    paper = sheet(rng, fonts, rng.choice(SHEETS), (0.015, 0.024))
    pen, layout = paper.pen, paper.layout
    rows, columns = rng.randint(4, 18), rng.randint(2, 6)
    title = f"{rng.choice(words.QUALITIES)} {rng.choice(NOUNS)} {rng.choice(TITLE_ENDS)}"
    pen.down(1)
    pen.put(
        title.title() if rng.random() < 0.5 else title.capitalize(),
        align=rng.choice("llc"),
        type=paper.head(rng.uniform(1.2, 2)),
    )
    pen.down(2)
    if rng.random() < 0.5:
        pen.put(f"{values.town(rng)}, {values.date_text(rng, values.moment(rng))}")
        pen.down(2)
    names = _row_names(rng, rows)
    heads = rng.sample(MEASURES, columns)
    kinds = [rng.choice(("count", "money", "percent", "decimal", "code")) for _ in heads]
    step = paper.size * rng.uniform(1.6, 2.6)
    step = min(step, (layout.height * 0.95 - pen.y) / (rows + 1.5))
    pen.right = pen.left + (pen.right - pen.left) * (1 if columns > 3 else rng.uniform(0.6, 1))
    first = max(paper.bold.width(name) for name in names) + paper.size * 1.5
    width = (pen.right - pen.left - first) / columns
    top, style = pen.y - paper.size * 1.2, rng.choice(("grid", "rows", "stripes", "none"))
    dark = rng.random() < 0.4
    if dark:
        layout.marks.append(Panel((pen.left, top, pen.right, top + step), paper.accent))
    head = paper.head(1, WHITE if dark else BLACK)
    align = rng.choice("rrc")
    at = [
        pen.left + first + width * (number + (1 if align == "r" else 0.5)) - paper.size * 0.4
        for number in range(columns)
    ]
    pen.put(rng.choice(("Item", "Name", "", "Region", "No")) or "-", pen.left + paper.size * 0.4, type=head)
    for x, text in zip(at, heads, strict=True):
        pen.put(text, x, align, head, room=width - 4)
    money = values.money(rng, False)
    name_type = paper.bold if rng.random() < 0.4 else pen.type
    cells = []
    for number, name in enumerate(names):
        pen.y += step
        y = pen.y - paper.size * 1.2
        if style == "stripes" and number % 2:
            layout.marks.append(Panel((pen.left, y, pen.right, y + step), (226, 226, 226)))
        pen.put(name, pen.left + paper.size * 0.4, type=name_type)
        for x, column, kind in zip(at, heads, kinds, strict=True):
            value = _cell(rng, kind, money)
            text = pen.put(value, x, align, room=width - 4)
            if text.text == value:
                asked = tuple(phrase.format(column=column.casefold(), row=name) for phrase in PHRASES)
                cells.append(Fact(asked, value, text, is_cell=True))
        if style in ("grid", "rows"):
            layout.marks.append(Rule(pen.left, y, pen.right, y, 1))
    bottom = top + step * (rows + 1)
    if style == "grid":
        layout.marks.append(Panel((pen.left, top, pen.right, bottom), None, BLACK, 2))
        for number in range(columns):
            x = pen.left + first + width * number
            layout.marks.append(Rule(x, top, x, bottom, 1))
    layout.facts += rng.sample(cells, min(MAX_ASKED, len(cells)))
    if layout.height > layout.width and bottom < layout.height * 0.6 and rng.random() < 0.6:
        layout.height = bottom + paper.size * rng.uniform(3, 10)
    return layout


def _row_names(rng: Random, count: int) -> list[str]:
    kind = rng.randrange(5)
    if kind == 0 and count <= len(MONTHS):
        return list(MONTHS[:count])
    if kind == 1 and count <= len(DAYS):
        return list(DAYS[:count])
    if kind == 2:
        return rng.sample([good for some in words.GOODS.values() for good in some], count)
    names: dict[str, None] = {}
    while len(names) < count:
        names[values.town(rng) if kind == 3 else f"{rng.choice(words.FIRST_NAMES)} {rng.choice(words.SURNAMES)}"] = None
    return list(names)


def _cell(rng: Random, kind: str, money: values.Money) -> str:
    if kind == "money":
        return money.plain(rng.randint(100, 999999))
    if kind == "percent":
        return f"{rng.uniform(0, 100):.1f}%"
    if kind == "decimal":
        return f"{rng.uniform(0, 500):.2f}"
    if kind == "code":
        return f"{rng.choice('ABCDEFGH')}{values.digits(rng, 2)}"
    return f"{rng.randint(1, 20000):,}"
