"""What was bought: goods with quantities and prices, and sums that add up."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from random import Random

from cropvlm_trainer.data.synth.documents.content import words
from cropvlm_trainer.data.synth.documents.content.values import Money, digits


@dataclass(frozen=True)
class Good:
    name: str
    code: str
    count: int
    price: int
    """of one, in cents"""

    @property
    def amount(self) -> int:
        return self.count * self.price


@dataclass(frozen=True)
class Basket:
    """All in cents. The total is the goods less the discount, with service and tax, rounded."""

    goods: tuple[Good, ...]
    discount: int
    service: int
    tax: int
    tax_is_inside: bool
    """whether the prices hold the tax already"""
    rounding: int
    paid: int
    """in cash; the total where it was paid by card"""

    @property
    def subtotal(self) -> int:
        return sum(good.amount for good in self.goods)

    @property
    def unrounded(self) -> int:
        return self.subtotal - self.discount + self.service + (0 if self.tax_is_inside else self.tax)

    @property
    def total(self) -> int:
        return self.unrounded + self.rounding

    @property
    def count(self) -> int:
        return sum(good.count for good in self.goods)


def basket(rng: Random, money: Money, most: int = 9) -> Basket:
    """Returns up to `most` goods, of which no two have the same name."""
    kind = rng.choice(list(words.GOODS))
    names = rng.sample(words.GOODS[kind], min(most, 1 + int(rng.expovariate(0.35))))
    scale = rng.choice((100, 300, 300, 1000, 4000))
    goods = []
    for name in names:
        if rng.random() < 0.3:
            name = f"{name} {rng.choice(words.SIZES)}"
        price = max(5, int(rng.lognormvariate(0.6, 0.8) * scale))
        price -= price % rng.choice((1, 5, 10, 50)) - rng.choice((0, 0, 0, -1)) if price > 60 else 0
        goods.append(
            Good(
                name, digits(rng, rng.choice((5, 7, 8, 13))), rng.choices((1, 2, 3, 5, 12), (70, 15, 8, 5, 2))[0], price
            )
        )
    subtotal = sum(good.amount for good in goods)
    discount = subtotal * rng.choice((5, 10, 15, 20)) // 100 if rng.random() < 0.15 else 0
    service = rounded(Fraction(subtotal - discount, 10)) if rng.random() < 0.12 else 0
    base, inside = subtotal - discount + service, rng.random() < 0.5
    tax = tax_in(base, money.rate) if inside else tax_on(base, money.rate)
    unrounded = base + (0 if inside else tax)
    rounding = (unrounded + 2) // 5 * 5 - unrounded if rng.random() < 0.4 else 0
    total = unrounded + rounding
    step = rng.choice((1000, 5000, 100, 500))
    paid = -(-total // step) * step if rng.random() < 0.6 else total
    return Basket(tuple(goods), discount, service, tax, inside, rounding, paid)


def tax_on(net: int, rate: float) -> int:
    """Returns the tax on an amount without it, in cents; `rate` in per cent."""
    return rounded(net * Fraction(rate) / 100)


def tax_in(gross: int, rate: float) -> int:
    """Returns the tax in an amount that holds it, in cents; `rate` in per cent."""
    return rounded(gross * Fraction(rate) / (100 + Fraction(rate)))


def rounded(cents: Fraction) -> int:
    """Returns whole cents, half a cent up, as tills round; Python's `round` takes it to the even one."""
    return floor(cents + Fraction(1, 2))
