"""A narrow receipt of a till: head, facts, goods, sums, and what stands below."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.data.synth.documents.content import values
from cropvlm_trainer.data.synth.documents.content.goods import Basket, basket
from cropvlm_trainer.data.synth.documents.content.labels import RECEIPT_LABELS
from cropvlm_trainer.data.synth.documents.fonts import DOTS, SANS, TILL, Fonts
from cropvlm_trainer.data.synth.documents.kinds.emblems import bar_code, emblem
from cropvlm_trainer.data.synth.documents.kinds.fields import company_fact, date_fact
from cropvlm_trainer.data.synth.documents.kinds.goods_lines import set_goods
from cropvlm_trainer.data.synth.documents.kinds.notes import circled, note
from cropvlm_trainer.data.synth.documents.kinds.sums import set_sums, set_tax_table
from cropvlm_trainer.data.synth.documents.kinds.till import Till
from cropvlm_trainer.data.synth.documents.layout import Entry, Layout, Pen, Text, Type

TITLES = (
    "TAX INVOICE",
    "Tax Invoice",
    "RECEIPT",
    "SALES RECEIPT",
    "INVOICE",
    "CASH SALE",
    "CASH BILL",
    "GUEST CHECK",
    "OFFICIAL RECEIPT",
    "SIMPLIFIED TAX INVOICE",
    "*** COPY ***",
    "ORDER SLIP",
    "BILL",
)
GREETINGS = (
    "THANK YOU",
    "Thank you, please come again!",
    "THANK YOU FOR SHOPPING WITH US",
    "HAVE A NICE DAY",
    "Goods sold are not returnable.",
    "NO REFUND WITHOUT RECEIPT",
    "Exchange within 7 days with this receipt",
    "Please keep this receipt for warranty",
    "See you again soon",
    "Follow us online",
    "Customer Copy",
    "*** END ***",
    "Your feedback matters to us",
)
WITH_TAX = "Prices include tax"
"""One more greeting, of a receipt whose prices do."""

NOTED, CIRCLED = 0.2, 0.07
"""The shares of receipts on which somebody has put a note, and with something circled."""


def make(rng: Random, fonts: Fonts) -> Layout:
    """Returns a receipt with its fields (total, date, company) and its labels."""
    look = rng.choices((TILL, DOTS, SANS), weights=(5, 2, 4))[0]
    family = fonts.pick(rng, look)
    size = rng.randint(23, 29)
    type = Type(family.regular if rng.random() < 0.8 else family.bold, size)
    inner = (
        type.width("0") * rng.choice((32, 36, 38, 40, 42, 42, 48, 48)) if look != SANS else size * rng.uniform(19, 30)
    )
    margin = inner * rng.uniform(0.02, 0.12)
    layout = Layout(inner + 2 * margin)
    layout.print = "dots" if look == DOTS and rng.random() < 0.7 else "thermal"
    layout.squeeze = rng.uniform(0.86, 1.1) if look == TILL else rng.uniform(0.88, 1.08)
    rule = rng.choice(("-", "-", "=", "_", "*", "line", "dash", "."))
    till = Till(
        family, type, values.money(rng, look != SANS), rule, rng.random() < 0.45, rng.choice((":", " :", ": ", ""))
    )
    pen = Pen(
        layout,
        type,
        margin,
        margin + inner,
        size * (rng.uniform(1.5, 4) if rng.random() < 0.45 else rng.uniform(4, 10)),
        size * rng.uniform(1.08, 1.45),
    )
    bought = basket(rng, till.money)
    when = values.moment(rng)
    date_at = rng.choices(("facts", "top", "foot"), weights=(72, 10, 18))[0]
    if rng.random() < NOTED:
        note(rng, fonts, pen)
    _head(rng, pen, till)
    if date_at == "top":
        _stamp(rng, pen, till, when)
    _facts(rng, pen, till, when if date_at == "facts" else None)
    set_goods(rng, pen, till, bought)
    set_sums(rng, pen, till, bought)
    if rng.random() < 0.55:
        set_tax_table(rng, pen, till, bought)
    if rng.random() < 0.35:
        _pairs(rng, pen, till, values.labelled(rng, RECEIPT_LABELS, rng.randint(1, 5), till.money))
    if date_at == "foot":
        _stamp(rng, pen, till, when)
    _foot(rng, pen, till, bought)
    if rng.random() < CIRCLED:
        circled(rng, rng.choice(layout.facts).text, layout)
    layout.height = pen.y + size * (rng.uniform(0.5, 3) if rng.random() < 0.5 else rng.uniform(3, 9))
    return layout


def _head(rng: Random, pen: Pen, till: Till) -> None:
    align = "c" if rng.random() < 0.85 else "l"
    if rng.random() < 0.15:
        emblem(rng, pen)
    name = values.company(rng)
    kind = till.loud(rng) if rng.random() < 0.65 else till.type
    pen.down(0.4 * kind.size / till.type.size)
    words, room = name.split(), pen.right - pen.left
    first, rest = name, ""
    while kind.width(first) > room and len(words) > 1:
        rest = f"{words.pop()} {rest}".strip()
        first = " ".join(words)
    text = pen.put(first, align=align, type=kind)
    pen.layout.facts.append(company_fact(text.text, text))
    pen.down(max(1, 0.9 * kind.size / till.type.size))
    more = [rest] if rest else []
    if rng.random() < 0.5:
        more.append(
            rng.choice((f"({values.digits(rng, 6)}-{rng.choice('ADHKMPTUVWX')})", f"Co. Reg. {values.digits(rng, 9)}"))
        )
    more += values.address(rng)
    small = till.type if rng.random() < 0.8 else till.type.times(0.85)
    for line in more:
        pen.put(till.case(line), align=align, type=small)
        pen.down()
    known = [("Tel", values.phone(rng)), ("Fax", values.phone(rng)), ("Email", values.email(rng))]
    known += [("Website", values.web(rng)), ("Hotline", values.phone(rng))]
    tax = (f"{till.money.tax} {rng.choice(('ID', 'No', 'Reg No', 'Reg. No.'))}", values.digits(rng, rng.randint(9, 12)))
    for label, value in [*rng.sample(known, rng.randint(0, 3)), *([tax] if rng.random() < 0.65 else [])]:
        shown = f"{till.case(label)}{till.colon.strip() or ':'} {value}"
        _entry(pen, label, value, pen.put(shown, align=align, type=small))
        pen.down()
    if rng.random() < 0.7:
        kind = till.loud(rng) if rng.random() < 0.4 else till.type
        pen.down(rng.uniform(0, 0.6) + 0.5 * kind.size / till.type.size)
        pen.put(rng.choice(TITLES), align="c", type=kind)
        pen.down()
    pen.down(rng.uniform(0, 1))


def _stamp(rng: Random, pen: Pen, till: Till, when) -> None:
    """Sets the date without a label, with a time and numbers beside it."""
    date = values.date_text(rng, when)
    parts = [date]
    if rng.random() < 0.75:
        parts.append(values.time_text(rng, when))
    if rng.random() < 0.5:
        parts += [values.code(rng) for _ in range(rng.randint(1, 2))]
    pen.down(rng.uniform(0, 0.6))
    text = pen.put(" ".join(parts), align=rng.choice("lcl"))
    if date in text.text:
        pen.layout.facts.append(date_fact(date, text))
    pen.down(rng.uniform(1, 1.5))


def _facts(rng: Random, pen: Pen, till: Till, when) -> None:
    """Sets labels with their values; among them the date, where `when` is given."""
    pairs = values.labelled(rng, RECEIPT_LABELS, rng.randint(1, 6), till.money)
    if rng.random() < 0.5:
        pen.rule(rng, till.rule)
        pen.down()
    if when is None:
        _pairs(rng, pen, till, pairs)
        return
    date = values.date_text(rng, when)
    shown = f"{date} {values.time_text(rng, when)}" if rng.random() < 0.45 else date
    label = rng.choice(
        ("Date", "Date", "DATE", "Bill Date", "Invoice Date", "Date/Time", "Sales Date", "Dated", "Trx Date")
    )
    pairs.insert(rng.randint(0, len(pairs)), (label, shown))
    dated = _pairs(rng, pen, till, pairs)[label]
    if date in dated.text:
        pen.layout.facts.append(date_fact(date, dated))


def _pairs(rng: Random, pen: Pen, till: Till, pairs: list[tuple[str, str]]) -> dict[str, Text]:
    """Sets pairs below or beside each other; returns the text of each label's value."""
    style = rng.choices(("beside", "column", "ends", "two"), weights=(4, 4, 1, 3))[0]
    widest = max(till.type.width(till.case(label)) for label, _ in pairs) + till.type.width("0")
    shown = {}
    half = pen.middle + till.type.width("0")
    on_right = False
    for number, (label, value) in enumerate(pairs):
        head = till.case(label)
        whole = f"{head}{till.colon or ' '}{'' if till.colon.endswith(' ') else ' '}{value}"
        fits = till.type.width(whole) < half - pen.left - 2 * till.type.width("0")
        if on_right and not fits:
            pen.down()
            on_right = False
        if style == "column" and pen.left + widest + till.type.width(f": {value}") < pen.right:
            pen.put(head)
            text = pen.put(f": {value}" if till.colon else value, pen.left + widest)
        elif style == "ends" and till.type.width(f"{head}   {value}") < pen.right - pen.left:
            pen.put(head + till.colon.rstrip())
            text = pen.put(value, align="r")
        else:
            text = pen.put(whole, half if on_right else None, room=pen.right - half if on_right else 0)
        if text.text.endswith(value):
            _entry(pen, label, value, text)
        shown[label] = text
        on_right = style == "two" and fits and not on_right and number + 1 < len(pairs)
        if not on_right:
            pen.down()
    return shown


def _entry(pen: Pen, label: str, value: str, text: Text) -> None:
    pen.layout.entries.append(Entry(label, value, text))


def _foot(rng: Random, pen: Pen, till: Till, bought: Basket) -> None:
    pen.down(rng.uniform(0.3, 1.5))
    if rng.random() < 0.4:
        pen.rule(rng, till.rule)
        pen.down()
    greetings = (*GREETINGS, WITH_TAX) if bought.tax_is_inside else GREETINGS
    for line in rng.sample(greetings, rng.randint(1, 5)):
        pen.put(till.case(line), align="c")
        pen.down()
    if rng.random() < 0.2:
        bar_code(rng, pen)
