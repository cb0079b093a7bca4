"""What is printed on receipts and invoices adds up to the cent, with the taxes and charges at the rates beside them."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from cropvlm_trainer.data.synth.documents.content.goods import Basket, basket
from cropvlm_trainer.data.synth.documents.content.values import CURRENCIES, Money
from cropvlm_trainer.data.synth.documents.kinds import invoice, receipt, sums
from cropvlm_trainer.data.synth.documents.layout import Layout

SEEDS = range(80)
SUBTOTALS = {*sums.SUBTOTAL, *sums.NET_SUBTOTAL, *invoice.SUBTOTAL, *invoice.NET_SUBTOTAL}


@pytest.fixture(params=[receipt, invoice], ids=["receipt", "invoice"])
def drawn(request, fonts, monkeypatch):
    """Draws the document of a seed; returns it with what was bought and how its amounts are written."""
    kept = []

    def keeping(rng: Random, money: Money, *args, **named) -> Basket:
        kept.append((basket(rng, money, *args, **named), money))
        return kept[-1][0]

    monkeypatch.setattr(request.param, "basket", keeping)
    return lambda seed: (request.param.make(Random(seed), fonts), *kept.pop())


def in_cents(text: str) -> int:
    return int(re.sub(r"\D", "", text)) * (-1 if "-" in text else 1)


def half_up(cents: Decimal) -> int:
    return int(cents.quantize(Decimal(1), ROUND_HALF_UP))


def amounts_of(layout: Layout) -> tuple[list[tuple[str, int]], int]:
    """Returns the printed sums with their labels, from the top down, and which of them is the total."""
    (total,) = [fact.text for fact in layout.facts if fact.field == "total"]
    sums = [entry for entry in layout.entries if entry.is_money]
    (at,) = [number for number, entry in enumerate(sums) if entry.text is total]
    return [(entry.label, in_cents(entry.text.text)) for entry in sums], at


def test_the_goods_and_what_is_added_are_the_total(drawn):
    for seed in SEEDS:
        layout, bought, money = drawn(seed)
        shown = [text.text for text in layout.texts()]
        for good in bought.goods:
            assert good.amount == good.count * good.price
            assert money.plain(good.amount) in shown or money.full(good.amount) in shown, seed
        totals = {label.format(tax=money.tax, sign=money.sign or "$") for label in sums.TOTAL}
        so_far = sum(good.amount for good in bought.goods)
        printed, total = amounts_of(layout)
        for label, cents in printed[:total]:
            rate = re.search(r"([\d.]+)%", label)
            if rate:
                assert cents == half_up(so_far * Decimal(rate[1]) / 100), (seed, label)
            if label in SUBTOTALS | totals:
                assert cents == so_far, (seed, label)
            else:
                so_far += cents
        assert printed[total][1] == so_far, (seed, printed)


def test_change_and_included_taxes_are_those_of_the_total(fonts):
    found = set()
    for seed in SEEDS:
        layout = receipt.make(Random(seed), fonts)
        printed, total = amounts_of(layout)
        rounding = sum(cents for label, cents in printed if label in sums.ROUNDING)
        due, paid = printed[total][1], printed[min(total + 1, len(printed) - 1)][1]
        for label, cents in printed[total + 1 :]:
            if label in sums.CHANGE:
                assert cents == paid - due >= 0, (seed, printed)
            elif label.endswith("% included"):
                rate = Decimal(label.split()[-2].rstrip("%"))
                assert cents == half_up((due - rounding) * rate / (100 + rate)), (seed, printed)
            else:
                assert cents == paid >= due, (seed, printed)
            found.add(label if label in sums.CHANGE else label.split()[-1])
        base = [fact for fact in layout.facts if fact.questions[0].startswith("On which amount")]
        tax = [fact for fact in layout.facts if fact.questions[0].startswith("What is the tax for")]
        if base:
            assert in_cents(base[0].answer) + in_cents(tax[0].answer) == due - rounding, seed
            found.add("table")
    assert found >= {*sums.CHANGE, "included", "table"}


def test_a_currency_that_is_named_is_that_of_the_amounts(fonts, monkeypatch):
    monkeypatch.setattr(invoice, "INVOICE_LABELS", {"Currency": "currency"})
    for seed in range(20):
        layout = invoice.make(Random(seed), fonts)
        named = {entry.answer for entry in layout.entries if entry.label == "Currency"}
        (total,) = [fact.answer for fact in layout.facts if fact.field == "total"]
        sign = re.sub(r"[\d.,\s]", "", total)
        assert len(named) == 1 and named <= set(CURRENCIES[sign]), (seed, named, total)
