"""An invoice on a sheet: from whom, to whom, its numbers and dates, what it is for, and its sums."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.data.synth.documents.content import values
from cropvlm_trainer.data.synth.documents.content.goods import Basket, basket
from cropvlm_trainer.data.synth.documents.content.labels import INVOICE_LABELS
from cropvlm_trainer.data.synth.documents.content.values import Money
from cropvlm_trainer.data.synth.documents.fonts import Fonts
from cropvlm_trainer.data.synth.documents.kinds.blocks import SHEETS, Sheet, set_pairs, sheet
from cropvlm_trainer.data.synth.documents.kinds.fields import company_fact, date_fact, total_fact
from cropvlm_trainer.data.synth.documents.kinds.goods_lines import price_fact
from cropvlm_trainer.data.synth.documents.layout import BLACK, Entry, Fact, Layout, Panel, Rule

WHITE = (255, 255, 255)
DATES = ("Date", "Invoice Date", "Date of Issue", "Issued", "Billing Date", "Document Date")
SUBTOTAL, NET_SUBTOTAL = ("Subtotal", "Sub Total"), ("Net Total", "Net Amount")
"""The second are for where the tax is added below."""
TOTALS = ("Total", "TOTAL", "Total Due", "Amount Due", "Balance Due", "Grand Total", "Invoice Total", "Total Amount")


def make(rng: Random, fonts: Fonts) -> Layout:
    """Returns an invoice with its fields (total, date, company) and its labels."""
    size = rng.choice([(w, h) for w, h in SHEETS if w < h])
    paper = sheet(rng, fonts, size, (0.0145, 0.02))
    money, pen = values.money(rng, False), paper.pen
    _head(rng, paper)
    top, half = pen.y, pen.middle + pen.type.size * rng.uniform(0, 4)
    _receiver(rng, paper, half)
    below, pen.y = pen.y, top
    pairs = values.labelled(rng, INVOICE_LABELS, rng.randint(3, 7), money)
    label, date = rng.choice(DATES), values.date_text(rng, values.moment(rng))
    pairs.insert(rng.randint(0, len(pairs)), (label, date))
    set_pairs(rng, pen, pairs, half, pen.right, paper.bold if rng.random() < 0.5 else pen.type)
    dated = next((entry.text for entry in paper.layout.entries if entry.label == label), None)
    if dated:
        paper.layout.facts.append(date_fact(date, dated, "invoice"))
    pen.y = max(below, pen.y) + pen.pitch * rng.uniform(0.8, 2.5)
    bought = basket(rng, money, most=14)
    _goods(rng, paper, money, bought)
    _sums(rng, paper, money, bought)
    pen.down(rng.uniform(1, 3))
    if rng.random() < 0.7:
        end = values.labelled(rng, INVOICE_LABELS, rng.randint(1, 4), money)
        set_pairs(rng, pen, end, pen.left, pen.middle, pen.type)
    if rng.random() < 0.5 and pen.y < size[1] * 0.93:
        pen.y = size[1] * 0.95
        pen.put(f"{values.web(rng)}   {values.phone(rng)}", align="c", type=pen.type.times(0.85))
    return paper.layout


def _head(rng: Random, paper: Sheet) -> None:
    pen, layout = paper.pen, paper.layout
    band = rng.random() < 0.3 and paper.accent != BLACK
    color = paper.accent
    if band:
        layout.marks.append(Panel((0, 0, layout.width, pen.y + paper.size * 4), paper.accent))
        color = WHITE
        pen.down(1)
    name = values.company(rng)
    right_title = rng.random() < 0.5
    text = pen.put(name, type=paper.head(rng.uniform(1.3, 2.1), color), room=(pen.right - pen.left) * 0.68)
    layout.facts.append(company_fact(text.text, text, "invoice"))
    title = rng.choice(("INVOICE", "Invoice", "TAX INVOICE", "COMMERCIAL INVOICE", "BILL"))
    kind = paper.head(rng.uniform(1.5, 2.2), color)
    if right_title and text.rect[2] + kind.width(title) < pen.right - paper.size:
        pen.put(title, align="r", type=kind)
    pen.down(3 if band else 1.4)
    for line in values.address(rng):
        pen.put(line)
        pen.down()
    for label, value in rng.sample(
        [("Phone", values.phone(rng)), ("Email", values.email(rng)), ("Tax No", values.digits(rng, 10))],
        rng.randint(0, 3),
    ):
        layout.entries.append(Entry(label, value, pen.put(f"{label}: {value}")))
        pen.down()
    if not right_title:
        pen.down(1)
        pen.put(title, align=rng.choice("lcr"), type=paper.head(rng.uniform(1.4, 2.2), paper.accent))
    pen.down(rng.uniform(1.5, 3))


def _receiver(rng: Random, paper: Sheet, half: float) -> None:
    pen = paper.pen
    pen.put(rng.choice(("Bill To", "BILL TO:", "Sold To", "Customer", "Invoice To:")), type=paper.bold)
    pen.down()
    room = half - pen.left - pen.type.size
    shown = pen.put(values.company(rng), room=room)
    asked = ("Who is the invoice for?", "Who is billed?", "Who is the customer?")
    paper.layout.facts.append(Fact(asked, shown.text, shown))
    pen.down()
    for line in values.address(rng):
        pen.put(line, room=room)
        pen.down()


def _goods(rng: Random, paper: Sheet, money: Money, bought: Basket) -> None:
    pen, marks = paper.pen, paper.layout.marks
    step = pen.type.size * rng.uniform(1.5, 2.3)
    heads = (
        rng.choice(("Amount", "Total", "Line Total")),
        rng.choice(("Price", "Unit Price", "Rate")),
        rng.choice(("Qty", "Quantity", "Units")),
    )
    top = pen.y - pen.type.size * 1.2
    shaded = rng.random() < 0.5
    if shaded:
        marks.append(
            Panel((pen.left, top, pen.right, top + step), paper.accent if paper.accent != BLACK else (210, 210, 210))
        )
    head = paper.head(1, WHITE if shaded and paper.accent != BLACK else BLACK)
    at = [pen.right - paper.size * 0.4]
    for text in heads[:2]:
        at.append(at[-1] - max(paper.size * rng.uniform(6.1, 8), head.width(text) + paper.size * 0.6))
    pen.put(rng.choice(("Description", "Item", "Details", "Service")), pen.left + paper.size * 0.4, type=head)
    for x, text in zip(at, heads, strict=True):
        pen.put(text, x, "r", head)
    pen.y += step
    ruled = rng.random() < 0.5
    for good in bought.goods:
        name = pen.put(good.name, pen.left + paper.size * 0.4, room=at[2] - pen.left - paper.size * 3)
        shown = pen.put(money.plain(good.amount), at[0], "r")
        pen.put(money.plain(good.price), at[1], "r")
        pen.put(str(good.count), at[2], "r")
        if name.text == good.name:
            paper.layout.facts.append(price_fact(good.name, shown.text, shown))
        y = pen.y + step - pen.type.size * 1.2
        if ruled:
            marks.append(Rule(pen.left, y, pen.right, y, 1, (120, 120, 120)))
        pen.y += step
    if rng.random() < 0.5:
        marks.append(Panel((pen.left, top, pen.right, pen.y - pen.type.size * 1.2), None, BLACK, 1))
    pen.down(0.4)


def _sums(rng: Random, paper: Sheet, money: Money, bought: Basket) -> None:
    pen = paper.pen
    labels = SUBTOTAL if bought.tax_is_inside else SUBTOTAL + NET_SUBTOTAL
    rows = [(rng.choice(labels), bought.subtotal)]
    rows += [("Discount", -bought.discount)] if bought.discount else []
    rows += [(rng.choice(("Shipping", "Service Fee", "Handling")), bought.service)] if bought.service else []
    tax = rng.choice((f"{money.tax} {money.rate:g}%", money.tax))
    rows += [] if bought.tax_is_inside else [(tax, bought.tax)]
    rows += [("Rounding", bought.rounding)] if bought.rounding else []
    right, step = pen.right - pen.type.size * 0.4, pen.pitch * rng.uniform(1, 1.3)
    left = right - pen.type.size * rng.uniform(14, 20)
    for label, cents in rows:
        pen.put(label, left)
        shown = pen.put(money.full(cents), right, "r")
        paper.layout.entries.append(Entry(label, shown.text, shown, is_money=True))
        pen.y += step
    kind = paper.head(rng.uniform(1, 1.4))
    y = pen.y - pen.type.size * 1.1
    paper.layout.marks.append(Rule(left, y, right, y, rng.randint(1, 3)))
    label = rng.choice(TOTALS)
    pen.down(0.3)
    shown = pen.put(money.full(bought.total), right, "r", kind)
    pen.put(label, min(left, shown.x - kind.width(label) - kind.size), type=kind)
    paper.layout.entries.append(Entry(label, shown.text, shown, is_money=True))
    paper.layout.facts.append(total_fact(shown.text, shown, "invoice"))
    pen.down(1.4)
