"""The sums of a receipt, down to its total, and the table of its taxes."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.data.synth.documents.content.goods import Basket
from cropvlm_trainer.data.synth.documents.kinds.fields import total_fact
from cropvlm_trainer.data.synth.documents.kinds.till import Till
from cropvlm_trainer.data.synth.documents.layout import Entry, Fact, Panel, Pen, Rule

SUBTOTAL = ("Sub Total", "Subtotal", "SUB-TOTAL", "Total Sales", "Amount")
NET_SUBTOTAL = ("Sub Total (excl. tax)", "Net Amount")
"""Where the tax is added below only."""
DISCOUNT = ("Discount", "Disc.", "Member Discount", "Total Discount")
SERVICE = ("Service Charge 10%", "Svc Chg", "Service Charge")
TOTAL = (
    "Total",
    "TOTAL",
    "TOTAL",
    "Grand Total",
    "Net Total",
    "Total Amount",
    "Amount Due",
    "Balance Due",
    "TOTAL DUE",
    "Total Payable",
    "Total Incl. {tax}",
    "Total (Inclusive of {tax})",
    "TOTAL {sign}",
    "Final Total",
    "Nett Total",
    "To Pay",
)
ROUNDED = ("Total Rounded", "Rounded Total", "Total After Rounding", "Net Total Rounded")
ROUNDING = ("Rounding", "Rounding Adj", "Round Adj.", "Rounding Adjustment")
PAID = ("Cash", "CASH", "Cash Tendered", "Payment", "Paid", "Cash Received", "Tendered", "Tender Amount")
CARD = ("Visa", "Mastercard", "Card", "Credit Card", "Debit Card", "EFTPOS", "Master Card", "E-Wallet")
CHANGE = ("Change", "CHANGE", "Change Due", "Balance", "Your Change")


def _sums(rng: Random, till: Till, bought: Basket) -> list[tuple[str, int, bool]]:
    """Returns labels and cents, and which of them is the total."""
    tax_name, sign = till.money.tax, till.money.sign or "$"
    rows: list[tuple[str, int, bool]] = []
    if rng.random() < 0.7:
        labels = SUBTOTAL if bought.tax_is_inside else SUBTOTAL + NET_SUBTOTAL
        rows.append((rng.choice(labels), bought.subtotal, False))
    if bought.discount or rng.random() < 0.15:
        rows.append((rng.choice(DISCOUNT), -bought.discount, False))
    if bought.service:
        rows.append((rng.choice(SERVICE), bought.service, False))
    if not bought.tax_is_inside:
        named = (
            f"{tax_name} {till.money.rate:g}%",
            f"{tax_name} @ {till.money.rate:g}%",
            tax_name,
            f"Total {tax_name}",
            "Tax",
        )
        rows.append((rng.choice(named), bought.tax, False))
    total = rng.choice(TOTAL).format(tax=tax_name, sign=sign)
    if bought.rounding:
        shows_both = rng.random() < 0.5
        if shows_both:
            rows.append((total, bought.unrounded, False))
        rows.append((rng.choice(ROUNDING), bought.rounding, False))
        if shows_both:
            total = rng.choice(ROUNDED)
    rows.append((total, bought.total, True))
    if rng.random() < 0.8:
        by_card = bought.paid == bought.total and rng.random() < 0.6
        rows.append((rng.choice(CARD if by_card else PAID), bought.paid, False))
        if not by_card or rng.random() < 0.3:
            rows.append((rng.choice(CHANGE), bought.paid - bought.total, False))
    if bought.tax_is_inside and rng.random() < 0.3:
        rows.append((f"{tax_name} {till.money.rate:g}% included", bought.tax, False))
    return rows


def set_sums(rng: Random, pen: Pen, till: Till, bought: Basket) -> None:
    """Sets the sums with their labels; the total stands out on most receipts."""
    zero = till.type.width("0")
    if rng.random() < 0.45:
        _counts(rng, pen, till, bought)
    style = rng.choices(("ends", "towards the right", "sign in a column"), weights=(6, 3, 2))[0]
    signed = rng.random() < 0.5
    edge = pen.right - zero * rng.choice((0, 0, 0, 1, 3))
    gap = rng.uniform(0, 0.4)
    for label, cents, is_total in _sums(rng, till, bought):
        kind = till.type
        if is_total and rng.random() < 0.7:
            kind = till.loud(rng)
            if rng.random() < 0.4:
                pen.rule(rng, till.rule, None if rng.random() < 0.7 else edge - zero * 10)
                pen.down(0.5)
            pen.down(max(0.0, kind.size / till.type.size - 1) + rng.uniform(0, 0.4))
        amount = (till.money.full if signed and style != "sign in a column" else till.money.plain)(cents)
        head = till.case(label) + till.colon.rstrip()
        value = pen.put(amount, edge, "r", kind)
        room = value.x - pen.left - zero
        if style == "towards the right" and kind.width(head) < room - zero * 2:
            pen.put(head, edge - max(zero * 11, kind.width(amount) + zero), "r", kind, room)
        else:
            pen.put(head, type=kind if kind.width(head) < room else till.type, room=room)
            if style == "sign in a column" and till.money.sign and kind.width(head) < room - zero * 6:
                pen.put(till.money.sign, value.x - zero * 2, "r", till.type)
        pen.layout.entries.append(Entry(label, amount, value, is_money=True))
        if is_total:
            pen.layout.facts.append(total_fact(amount, value))
        pen.down(1 + gap)
        if is_total and kind is not till.type and rng.random() < 0.3:
            pen.rule(rng, till.rule)
            pen.down()


def _counts(rng: Random, pen: Pen, till: Till, bought: Basket) -> None:
    items = (rng.choice(("Item(s)", "Total Items", "No. of Items", "Items Sold")), str(len(bought.goods)))
    count = (rng.choice(("Qty(s)", "Total Qty", "Total Quantity", "Qty")), str(bought.count))
    left = pen.put(f"{till.case(items[0])} : {items[1]}")
    pen.layout.entries.append(Entry(items[0], items[1], left))
    if rng.random() < 0.6:
        shown = f"{till.case(count[0])} : {count[1]}"
        if till.type.width(left.text + shown) > pen.right - pen.left - till.type.size * 2:
            pen.down()
        text = pen.put(shown, align="r")
        pen.layout.entries.append(Entry(count[0], count[1], text))
    pen.down(rng.uniform(1, 1.8))


def set_tax_table(rng: Random, pen: Pen, till: Till, bought: Basket) -> None:
    """Sets a summary of the taxes: code, base and tax; in a frame on some receipts."""
    money, zero, top = till.money, till.type.width("0"), pen.y - till.type.size
    framed = rng.random() < 0.3
    left, right = pen.left + zero * framed, pen.right - zero * framed
    pen.down(0.6)
    title = rng.choice((f"{money.tax} Summary", f"{money.tax} ANALYSIS", "Tax Summary", f"{money.tax} SUMMARY"))
    base = bought.total - bought.rounding - bought.tax
    middle = left + (right - left) * rng.uniform(0.62, 0.72)
    heads = (
        rng.choice((f"Amount({money.sign})" if money.sign else "Amount", "Amount")),
        f"Tax({money.sign})" if money.sign else "Tax",
    )
    if framed or rng.random() < 0.5:
        pen.put(title, left, type=till.bold() if rng.random() < 0.4 else None)
        pen.down(1.2)
        title = "Code"
    pen.put(title, left, room=min((middle - left) * 0.6, middle - left - till.type.width(heads[0]) - zero))
    pen.put(heads[0], middle, "r", room=zero * 11)
    pen.put(heads[1], right, "r", room=zero * 9)
    pen.down()
    if framed:
        pen.layout.marks.append(Rule(left, pen.y - till.type.size, right, pen.y - till.type.size, 2))
        pen.down(0.2)
    code = rng.choice(("SR", "S", "T1", "A", "ZRL"))
    pen.put(f"{code} @ {money.rate:g}%" if rng.random() < 0.6 else code, left)
    shown = pen.put(money.plain(base), middle, "r")
    tax = pen.put(money.plain(bought.tax), right, "r")
    kind = money.tax.casefold()
    pen.layout.facts.append(
        Fact((f"What is the tax for {code}?", f"How much {kind} is on {code}?"), tax.text, tax, True)
    )
    pen.layout.facts.append(Fact((f"On which amount is the {kind} of {code}?",), shown.text, shown, True))
    pen.down()
    if framed:
        pen.layout.marks.append(Panel((pen.left, top, pen.right, pen.y - till.type.size * 0.5), None, (0, 0, 0)))
    pen.down()
