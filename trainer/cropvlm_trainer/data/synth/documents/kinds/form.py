"""A form with labels and what was filled in, by type or by hand, on lines or in boxes."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.data.synth.documents.content import values
from cropvlm_trainer.data.synth.documents.content.labels import FORM_LABELS
from cropvlm_trainer.data.synth.documents.fonts import HAND, TILL, Fonts
from cropvlm_trainer.data.synth.documents.kinds.blocks import SHEETS, Sheet, sheet
from cropvlm_trainer.data.synth.documents.kinds.fields import date_fact
from cropvlm_trainer.data.synth.documents.layout import BLACK, Entry, Layout, Panel, Rule, Type

WHITE = (255, 255, 255)
TITLES = (
    "Application Form",
    "REGISTRATION FORM",
    "Request for Leave",
    "Claim Form",
    "Patient Record",
    "Delivery Note",
    "Membership Application",
    "Inspection Report",
    "Employment Record",
    "Work Order",
    "Visitor Pass",
    "Change of Address",
    "Order Form",
    "Travel Expense Report",
    "Purchase Requisition",
)
SECTIONS = (
    "Personal Details",
    "Section A",
    "Section B",
    "Contact",
    "Part 1",
    "Part 2",
    "For office use only",
    "Details",
    "Declaration",
)
STYLES = ("line", "line", "box", "below", "grid", "plain")


def make(rng: Random, fonts: Fonts) -> Layout:
    """Returns a form; all its labels that are filled in can be asked for."""
    width, height = rng.choice(SHEETS)
    size = (width, round(height * rng.uniform(0.55, 1))) if rng.random() < 0.5 and width < height else (width, height)
    paper = sheet(rng, fonts, size, (0.0155, 0.023))
    pen, layout = paper.pen, paper.layout
    entered = _entered(rng, fonts, paper)
    if rng.random() < 0.6:
        pen.put(values.company(rng), align=rng.choice("lcr"), type=paper.bold)
        pen.down(1.5)
    band = rng.random() < 0.3
    title = paper.head(rng.uniform(1.4, 2.2), WHITE if band else paper.accent)
    pen.down(0.6)
    if band:
        y = pen.y - title.size * 1.2
        layout.marks.append(Panel((pen.left, y, pen.right, y + title.size * 1.7), paper.accent))
    pen.put(rng.choice(TITLES), align=rng.choice("lc"), type=title)
    pen.down(rng.uniform(1.8, 3))
    style, columns = rng.choice(STYLES), rng.choice((1, 2, 2, 3)) if size[0] > 1050 else rng.choice((1, 2))
    pairs = values.labelled(rng, FORM_LABELS, 60, values.money(rng, False), 0.2)
    step = paper.size * rng.uniform(2.0, 3.4) * (1.35 if style == "below" else 1)
    while pen.y + step * 2 < size[1] * 0.94 and pairs:
        if rng.random() < 0.18:
            _section(rng, paper)
        some = [pairs.pop() for _ in range(min(columns if rng.random() < 0.75 else 1, len(pairs)))]
        _row(rng, paper, entered, some, style)
        pen.y += step
    dates = [entry for entry in layout.entries if entry.label in ("Date of Issue", "Date Received")]
    if len(dates) == 1:
        layout.facts.append(date_fact(dates[0].answer, dates[0].text, "form"))
    return layout


def _entered(rng: Random, fonts: Fonts, paper: Sheet) -> Type:
    """Returns the type of what is filled in."""
    ink = rng.choice((BLACK, (20, 30, 130), (40, 40, 40), (10, 20, 90)))
    if fonts.has(HAND) and rng.random() < 0.4:
        return Type(fonts.pick(rng, HAND).regular, round(paper.size * rng.uniform(1.25, 1.6)), color=ink)
    if rng.random() < 0.5:
        return Type(fonts.pick(rng, TILL).regular, paper.size)
    return Type(
        paper.family.regular if rng.random() < 0.7 else paper.family.bold, round(paper.size * rng.uniform(1, 1.15))
    )


def _section(rng: Random, paper: Sheet) -> None:
    pen = paper.pen
    if rng.random() < 0.5:
        y = pen.y - paper.size * 1.15
        paper.layout.marks.append(Panel((pen.left, y, pen.right, y + paper.size * 1.6), (222, 222, 222)))
    pen.put(rng.choice(SECTIONS), pen.left + paper.size * 0.3, type=paper.bold)
    pen.y += paper.size * rng.uniform(1.9, 2.6)


def _row(rng: Random, paper: Sheet, entered: Type, pairs: list[tuple[str, str]], style: str) -> None:
    pen, marks = paper.pen, paper.layout.marks
    width = (pen.right - pen.left) / len(pairs)
    small = pen.type.times(0.8)
    for number, (label, value) in enumerate(pairs):
        left = pen.left + number * width
        right = left + width - paper.size * (0 if style == "grid" else 1)
        if style in ("below", "grid"):
            if style == "grid":
                marks.append(Panel((left, pen.y - paper.size, right, pen.y + paper.size * 1.5), None, BLACK, 1))
                left += paper.size * 0.3
            pen.put(label, left, type=small, room=right - left)
            at, y = left + paper.size * 0.2, pen.y + paper.size * 1.25
        else:
            shown = pen.put(label + rng.choice((":", ":", "")), left, room=(right - left) * 0.6)
            at, y = left + pen.type.width(shown.text) + paper.size * 0.6, pen.y
        if style in ("line", "below"):
            marks.append(Rule(at - paper.size * 0.2, y + 4, right, y + 4, 1, (60, 60, 60), rng.choice((0, 0, 6))))
        elif style == "box":
            marks.append(
                Panel((at - paper.size * 0.3, y - paper.size * 1.2, right, y + paper.size * 0.5), None, BLACK, 1)
            )
        if rng.random() < 0.1 or entered.width(value) > right - at:
            continue
        pen.y, line = y, pen.y
        text = pen.put(value, at, type=entered)
        pen.y = line
        paper.layout.entries.append(Entry(label, value, text))
