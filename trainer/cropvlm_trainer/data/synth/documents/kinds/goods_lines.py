"""The goods of a receipt, in the ways in which tills list them."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.data.synth.documents.content.goods import Basket
from cropvlm_trainer.data.synth.documents.kinds.till import Till
from cropvlm_trainer.data.synth.documents.layout import Fact, Pen, Text

QUESTIONS = (
    "What is the {name}?",
    "How much is the {name}?",
    "What is the price of {name}?",
    "What does the {name} cost?",
    "What is the amount for {name}?",
)
HEADS = {
    "name": ("Item", "Description", "DESC", "Item Name", "Product", "Particulars"),
    "count": ("Qty", "QTY", "Qty.", "Quantity"),
    "price": ("Price", "U.Price", "Unit Price", "@", "S/Price"),
    "amount": ("Amount", "AMT", "Total", "Amount({sign})", "Price"),
}
MIN_NAME_BELOW = 38
"""Digits that fit on a line where code, count, price and amount stand beside each other, with the name below."""


def price_fact(name: str, amount: str, text: Text) -> Fact:
    asked = tuple(question.format(name=name.casefold()) for question in QUESTIONS)
    return Fact(asked, amount, text, is_cell=True)


def set_goods(rng: Random, pen: Pen, till: Till, bought: Basket) -> None:
    """Sets the goods, between rules and below heads of columns on most receipts."""
    style = rng.choice(("plain", "two lines", "code first", "columns", "columns", "name below"))
    count_first = rng.random() < 0.5
    ruled = rng.random() < 0.8
    width, zero = pen.right - pen.left, till.type.width("0")
    if style == "name below" and width < MIN_NAME_BELOW * zero:
        style = "columns"
    in_full = till.money.full if rng.random() < 0.25 else till.money.plain
    tail = rng.choice(("", "", "", " T", " SR", " *", " S"))
    flag = tail if till.type.width(tail) < 0.1 * width else ""
    edge = pen.right - till.type.width(flag)
    columns = style in ("columns", "name below")
    widest = max(till.type.width(in_full(good.amount)) for good in bought.goods)
    at = {"amount": edge, "price": edge - max(zero * rng.uniform(9, 11), widest + zero)}
    if style == "name below":
        at["count"] = at["price"] - zero * rng.uniform(9.5, 11)
    else:
        at["count"] = edge - zero * rng.uniform(10, 13)
    if columns and count_first:
        at["count"] = pen.left + zero * 3
    if ruled:
        pen.rule(rng, till.rule)
        pen.down()
    if rng.random() < 0.7:
        heads = {key: rng.choice(some).format(sign=till.money.sign or "$") for key, some in HEADS.items()}
        if columns and count_first:
            pen.put(heads["count"], room=zero * 4.5)
            pen.put(heads["name"], pen.left + zero * 5)
        else:
            beside = till.type.width(heads["count"]) + zero if columns else zero * 6
            pen.put(heads["name"], room=at["count"] - pen.left - beside)
            if columns:
                pen.put(heads["count"], at["count"], "r")
        if columns and style == "name below":
            pen.put(heads["price"], at["price"], "r", room=zero * 9)
        pen.put(heads["amount"], at["amount"], "r", room=zero * 9)
        pen.down()
        if ruled:
            pen.rule(rng, till.rule)
            pen.down()
    for good in bought.goods:
        name, amount, price = till.case(good.name), in_full(good.amount), till.money.plain(good.price)
        if style == "plain":
            start = f"{good.count} {'x ' if not count_first else ''}" if count_first or good.count > 1 else ""
            named = pen.put(start + name, room=edge - till.type.width(amount) - pen.left - 2 * zero)
        elif style == "columns":
            left = pen.left + zero * 5 if count_first else pen.left
            named = pen.put(
                name, left, room=(at["count"] if not count_first else at["amount"] - zero * 5) - left - zero * 4
            )
            pen.put(str(good.count), at["count"], "r")
        elif style == "name below":
            pen.put(good.code, room=zero * 10)
            pen.put(str(good.count), max(at["count"], pen.left + zero * 13), "r")
            pen.put(price, at["price"], "r")
        else:
            named = pen.put(good.code if style == "code first" else name)
            if style == "code first":
                pen.down()
                named = pen.put(name)
            pen.down()
            counted = rng.choice(("{0} x {1}", "{0} X {1}", "{0} @ {1}")).format(good.count, price)
            pen.put(counted, pen.left + zero * 3 if count_first else at["price"], "l" if count_first else "r")
        shown = pen.put(amount, at["amount"], "r")
        if flag:
            pen.put(flag, edge)
        if style == "name below":
            pen.down()
            named = pen.put(name)
        if named.text.endswith(name):
            pen.layout.facts.append(price_fact(good.name, amount, shown))
        pen.down()
    if ruled:
        pen.rule(rng, till.rule)
        pen.down()
