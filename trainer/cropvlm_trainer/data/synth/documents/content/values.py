"""Random values as documents show them: names, addresses, dates, amounts and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from cropvlm_trainer.data.synth.documents.content import words
from cropvlm_trainer.data.synth.documents.content.labels import NOUN_ENDS, NOUNS
from cropvlm_trainer.data.synth.documents.content.words import listed

DATE_FORMATS = (
    "%d/%m/%Y",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d-%m-%y",
    "%d/%m/%y",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %B %Y",
    "%B %d, %Y",
    "%b %d, %Y",
    "%a %d %b %Y",
    "%Y/%m/%d",
    "%d %b %y",
)
TIME_FORMATS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H.%M")
WORDS_OF_VALUES = listed(
    "CASH,VISA,MASTERCARD,DEBIT,STANDARD,NORMAL,MAIN,EXPRESS,WALK-IN,RETAIL,GENERAL,NORTH,SOUTH,ADMIN,FRONT,"
    "FLOOR 2,COUNTER A,ONLINE,DINE IN,TAKE AWAY,SELF SERVICE,MEMBER,NONE,SINGLE,DOUBLE,FULL TIME,PART TIME,SALES,"
    "FINANCE,LOGISTICS,RESEARCH,ENGINEER,TEACHER,NURSE,CLERK,RENEWAL,NEW ENTRY,WHITE,SILVER,SPOUSE,PARENT,NUTS,"
    "APPROVED"
)


CURRENCIES = {
    "$": ("USD", "SGD", "AUD"),
    "USD": ("USD",),
    "RM": ("MYR",),
    "EUR": ("EUR",),
    "€": ("EUR",),
    "£": ("GBP",),
    "Rs": ("INR",),
    "CHF": ("CHF",),
    "": ("USD", "EUR", "GBP", "MYR", "SGD", "CHF", "AUD"),
}
"""The codes of the currencies that a sign may stand for."""


@dataclass(frozen=True)
class Money:
    """How a document writes amounts."""

    sign: str
    """before each amount; "" for none"""
    gap: str
    """between the sign and the number"""
    comma: bool
    """whether the decimals stand behind a comma"""
    tax: str
    """the name of its tax"""
    rate: float
    """of the tax, in per cent"""
    code: str
    """of the currency, as "EUR\""""

    def plain(self, cents: int) -> str:
        """Returns an amount without the sign, as "1,234.50"."""
        text = f"{abs(cents) / 100:,.2f}"
        if self.comma:
            text = text.translate(str.maketrans(",.", ".,"))
        return f"-{text}" if cents < 0 else text

    def full(self, cents: int) -> str:
        return f"{self.sign}{self.gap if self.sign else ''}{self.plain(cents)}"


def money(rng: Random, ascii_only: bool) -> Money:
    signs = ["$", "RM", "", "RM", "EUR", "$", "", "USD", "Rs", "CHF"] + ([] if ascii_only else ["€", "£"])
    tax, rate = rng.choice(
        (("GST", 6), ("GST", 7), ("GST", 10), ("VAT", 20), ("VAT", 19), ("VAT", 5), ("SST", 6), ("Sales Tax", 8.25))
    )
    sign = rng.choice(signs)
    gap, comma = rng.choice(("", " ", " ")), rng.random() < 0.08
    return Money(sign, gap, comma, tax, rate, rng.choice(CURRENCIES[sign]))


def moment(rng: Random) -> datetime:
    return datetime(2009, 1, 1, 8) + timedelta(days=rng.randrange(6600), seconds=rng.randrange(14 * 3600))


def date_text(rng: Random, when: datetime) -> str:
    text = when.strftime(rng.choice(DATE_FORMATS))
    return text.upper() if rng.random() < 0.3 else text


def time_text(rng: Random, when: datetime) -> str:
    return when.strftime(rng.choice(TIME_FORMATS))


def digits(rng: Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def invented(rng: Random) -> str:
    """Returns a word that no dictionary has, as names have them."""
    return "".join(rng.sample(words.SYLLABLES, rng.randint(2, 3))).capitalize()


def company(rng: Random) -> str:
    """Returns the name of a shop or firm."""
    first = rng.choice((invented, _surname, _quality, _two, _initials))(rng)
    trade = rng.choice(words.TRADES)
    legal = rng.choice(words.LEGAL_FORMS) if rng.random() < 0.5 else ""
    name = " ".join(part for part in (first, trade if rng.random() < 0.85 else "", legal) if part)
    return name if rng.random() < 0.35 else name.upper()


def _surname(rng: Random) -> str:
    name = rng.choice(words.SURNAMES)
    return rng.choice(
        (name, f"{name}'s", f"{name} & {rng.choice(words.SURNAMES)}", f"{rng.choice('ABCDJKLMST')}. {name}")
    )


def _quality(rng: Random) -> str:
    return rng.choice(words.QUALITIES)


def _two(rng: Random) -> str:
    return f"{rng.choice(words.QUALITIES)} {invented(rng)}"


def _initials(rng: Random) -> str:
    return rng.choice((".", "")).join(rng.sample("ABCDEFGHKLMNPRSTVW", 3))


def person(rng: Random) -> str:
    first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.SURNAMES)
    name = rng.choice((first, f"{first} {last}", f"{first} {last}", f"{last}, {first}", f"{first[0]}. {last}"))
    return name.upper() if rng.random() < 0.4 else name


def town(rng: Random) -> str:
    end = rng.choice(words.TOWN_ENDS) if rng.random() < 0.5 else ""
    return f"{invented(rng)}{end}".replace("_", " ")


def street(rng: Random) -> str:
    name = rng.choice((invented(rng), rng.choice(words.PLACES), rng.choice(words.SURNAMES)))
    number = str(rng.randint(1, 240)) + (rng.choice("ABC") if rng.random() < 0.2 else "")
    line = f"{name} {rng.choice(words.STREETS)}"
    return rng.choice((f"{number} {line}", f"No. {number}, {line}", f"{number}, {line}", f"Lot {number}, {line}"))


def address(rng: Random) -> list[str]:
    """Returns the two to four lines of an address."""
    place, code = town(rng), digits(rng, 5)
    last = rng.choice(
        (f"{code} {place}", f"{place} {code}", f"{place}, {rng.choice('ABCDKLMNPRSW')}{rng.choice('ACK')} {code}")
    )
    lines = [street(rng)]
    if rng.random() < 0.4:
        lines.append(
            rng.choice(
                (f"Level {rng.randint(1, 9)}", f"Unit {digits(rng, 2)}", town(rng), f"Block {rng.choice('ABCDE')}")
            )
        )
    lines.append(last)
    if rng.random() < 0.25:
        lines.append(town(rng))
    return lines


def phone(rng: Random) -> str:
    d = digits
    return rng.choice(
        (
            f"0{d(rng, 1)}-{d(rng, 4)} {d(rng, 4)}",
            f"+{rng.randint(1, 99)} {d(rng, 2)} {d(rng, 3)} {d(rng, 4)}",
            f"({d(rng, 3)}) {d(rng, 3)}-{d(rng, 4)}",
            f"0{d(rng, 2)}-{d(rng, 7)}",
            f"{d(rng, 3)}-{d(rng, 3)}-{d(rng, 4)}",
            f"0{d(rng, 9)}",
        )
    )


def code(rng: Random) -> str:
    letters = "".join(rng.sample("ABCDEFGHIKLMNOPRSTUVWX", rng.randint(1, 3)))
    return rng.choice(
        (
            f"{letters}{digits(rng, rng.randint(4, 8))}",
            f"{letters}-{digits(rng, rng.randint(4, 6))}",
            f"{digits(rng, 2)}-{digits(rng, rng.randint(4, 6))}",
            f"{letters}/{digits(rng, 2)}/{digits(rng, 4)}",
            digits(rng, rng.randint(5, 9)),
        )
    )


def web(rng: Random) -> str:
    return f"www.{invented(rng).lower()}.{rng.choice(('com', 'net', 'org', 'co', 'example'))}"


def email(rng: Random) -> str:
    return f"{rng.choice(('info', 'sales', 'office', rng.choice(words.FIRST_NAMES).lower()))}@{web(rng)[4:]}"


def value(rng: Random, kind: str, currency: Money) -> str:
    """Returns a value of one of the kinds that `content.labels` names."""
    when = moment(rng)
    make = {
        "person": lambda: person(rng),
        "first": lambda: rng.choice(words.FIRST_NAMES),
        "last": lambda: rng.choice(words.SURNAMES),
        "word": lambda: rng.choice(WORDS_OF_VALUES),
        "short": lambda: rng.choice(
            (digits(rng, 1), digits(rng, 2), f"{rng.choice('ABCDEFT')}{digits(rng, 2)}", f"0{digits(rng, 1)}")
        ),
        "number": lambda: digits(rng, rng.randint(4, 12)),
        "code": lambda: code(rng),
        "count": lambda: str(rng.randint(1, 9999)),
        "money": lambda: currency.full(rng.randint(100, 999999)),
        "date": lambda: date_text(rng, when),
        "time": lambda: time_text(rng, when),
        "datetime": lambda: f"{date_text(rng, when)} {time_text(rng, when)}",
        "phone": lambda: phone(rng),
        "plate": lambda: f"{''.join(rng.sample('ABCDEFGHJKLMNPRSTVWX', 3))} {digits(rng, rng.randint(2, 4))}",
        "card": lambda: rng.choice(
            (f"XXXX XXXX XXXX {digits(rng, 4)}", f"**** {digits(rng, 4)}", f"************{digits(rng, 4)}")
        ),
        "weight": lambda: f"{rng.randint(1, 900) / 10:.1f} kg",
        "town": lambda: town(rng),
        "address": lambda: street(rng),
        "company": lambda: company(rng),
        "email": lambda: email(rng),
        "web": lambda: web(rng),
        "terms": lambda: rng.choice(("30 days net", "14 days", "Due on receipt", "Net 45", "C.O.D.", "7 days")),
        "currency": lambda: currency.code,
        "page": lambda: f"1 of {rng.randint(1, 4)}",
    }
    return make[kind]()


def invented_label(rng: Random) -> tuple[str, str]:
    """Returns a label that is made up from words, and the kind of its value: labels are more than any list has."""
    first = rng.choice(NOUNS) if rng.random() < 0.7 else invented(rng).lower()
    label = f"{first} {rng.choice(NOUN_ENDS)}".strip().title()
    return label, rng.choice(("code", "number", "short", "count", "money", "date", "person", "word", "time", "weight"))


def labelled(
    rng: Random, known: Mapping[str, str], count: int, currency: Money, new_share: float = 0.25
) -> list[tuple[str, str]]:
    """Returns pairs of a label and its value; `new_share` of the labels are invented, none comes twice."""
    pairs: dict[str, str] = {}
    while len(pairs) < count:
        label, kind = invented_label(rng) if rng.random() < new_share else rng.choice(list(known.items()))
        pairs.setdefault(label, value(rng, kind, currency))
    return list(pairs.items())
