"""A sign on a wall or at a road: few large words, in the colours of signs."""

from __future__ import annotations

from random import Random

from cropvlm_trainer.data.synth.documents.content import values, words
from cropvlm_trainer.data.synth.documents.fonts import SIGN, Fonts
from cropvlm_trainer.data.synth.documents.layout import Entry, Fact, Layout, Panel, Pen, Type
from cropvlm_trainer.data.synth.page import Color

COLORS: tuple[tuple[Color, Color], ...] = (
    ((20, 60, 140), (255, 255, 255)),
    ((0, 100, 60), (255, 255, 255)),
    ((255, 255, 255), (20, 20, 20)),
    ((250, 205, 30), (20, 20, 20)),
    ((190, 30, 35), (255, 255, 255)),
    ((40, 40, 40), (245, 245, 245)),
    ((240, 235, 220), (60, 30, 20)),
)
TARIFFS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("CAR PARK", "PARKING FEES", "PARKING"),
        ("Up to 1 hour", "Up to 2 hours", "Up to 4 hours", "Full day", "Lost ticket", "Night"),
    ),
    (("ADMISSION", "TICKETS", "ENTRANCE FEE"), ("Adults", "Children", "Students", "Seniors", "Family", "Groups")),
    (("MENU", "PRICE LIST", "TODAY"), ()),
)
"""Titles, and what has a price below them; without any, it is dishes."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def make(rng: Random, fonts: Fonts) -> Layout:
    """Returns a sign: opening hours, a tariff, directions, a departure board or a firm's plate."""
    back, ink = rng.choice(COLORS)
    back = tuple(min(255, max(0, v + rng.randint(-12, 12))) for v in back)
    family = fonts.pick(rng, SIGN)
    size = rng.randint(40, 60)
    layout = Layout(rng.uniform(620, 1100), paper=back)  # type: ignore[arg-type]
    layout.print = "laser"
    margin = layout.width * rng.uniform(0.07, 0.12)
    body = Type(family.regular, size, color=ink)
    pen = Pen(layout, body, margin, layout.width - margin, margin + size, size * rng.uniform(1.35, 1.9))
    kind = rng.choice((_hours, _tariff, _directions, _board, _plate))
    kind(rng, pen, Type(family.bold, round(size * rng.uniform(1.2, 1.9)), color=ink))
    layout.height = pen.y + margin * 0.4
    inset = margin * rng.uniform(0.2, 0.4)
    if rng.random() < 0.7:
        frame = (inset, inset, layout.width - inset, layout.height - inset)
        radius = inset * rng.choice((0, 1, 2))
        layout.marks.insert(0, Panel(frame, None, ink, rng.randint(3, 8), radius))
    return layout


def _title(pen: Pen, text: str, kind: Type, align: str = "c"):
    while kind.width(text) > pen.right - pen.left and kind.size > 20:
        kind = kind.times(0.9)
    pen.down(0.2)
    shown = pen.put(text, align=align, type=kind)
    pen.y += kind.size * 0.4 + pen.pitch * 0.9
    return shown


def _rows(rng: Random, pen: Pen, rows: list[tuple[str, str]], questions: tuple[str, ...]) -> None:
    for label, value in rows:
        kind = pen.type
        while kind.width(f"{label}   {value}") > pen.right - pen.left and kind.size > 16:
            kind = kind.times(0.92)
        pen.put(label, type=kind)
        text = pen.put(value, align="r", type=kind)
        asked = tuple(question.format(label=label) for question in questions)
        pen.layout.facts.append(Fact(asked, value, text, is_cell=True))
        pen.down()


def _hours(rng: Random, pen: Pen, head: Type) -> None:
    name = values.company(rng)
    if rng.random() < 0.6:
        shown = _title(pen, name, head)
        pen.layout.facts.append(Fact(("What is the name of the shop?", "Which shop is this?"), shown.text, shown))
    _title(pen, rng.choice(("OPENING HOURS", "Opening Hours", "WE ARE OPEN", "Office Hours")), head.times(0.7))
    first = rng.randrange(3)
    rows = [(day, _open(rng)) for day in DAYS[first : first + rng.randint(3, 7)]]
    _rows(
        rng,
        pen,
        rows,
        ("What are the opening hours on {label}?", "When is it open on {label}?", "What are the hours for {label}?"),
    )
    if rng.random() < 0.5:
        number = values.phone(rng)
        pen.layout.entries.append(
            Entry("Phone", number, pen.put(f"Phone: {number}", align="c", type=pen.type.times(0.8)))
        )
        pen.down()


def _open(rng: Random) -> str:
    how, half = rng.random(), rng.choice(("00", "30"))
    if how < 0.15:
        return rng.choice(("CLOSED", "Closed"))
    if how < 0.4:
        return f"{rng.randint(6, 11)} AM - {rng.randint(1, 11)} PM"
    return f"{rng.randint(6, 11)}:{half} - {rng.randint(13, 22)}:{rng.choice(('00', '30'))}"


def _tariff(rng: Random, pen: Pen, head: Type) -> None:
    money = values.money(rng, True)
    titles, names = rng.choice(TARIFFS)
    _title(pen, rng.choice(titles), head)
    count = rng.randint(3, 6)
    shown = names[:count] if names else rng.sample(words.GOODS["restaurant"], count)
    rows = [(name, money.full(rng.randint(2, 500) * 50)) for name in shown]
    asked = ("What is the price for {label}?", "How much is {label}?", "What does it cost for {label}?")
    _rows(rng, pen, rows, asked)


def _directions(rng: Random, pen: Pen, head: Type) -> None:
    if rng.random() < 0.5:
        _title(pen, rng.choice(("EXIT", "ROUTE", "JUNCTION")) + f" {rng.randint(1, 99)}", head, "l")
    rows = list(
        {
            values.town(rng): f"{rng.randint(1, 480)} {rng.choice(('km', 'km', 'mi'))}"
            for _ in range(rng.randint(2, 5))
        }.items()
    )
    _rows(
        rng,
        pen,
        rows,
        ("How far is it to {label}?", "What is the distance to {label}?", "How many kilometres to {label}?")
        if all("km" in far for _, far in rows)
        else ("How far is it to {label}?", "What is the distance to {label}?"),
    )


def _board(rng: Random, pen: Pen, head: Type) -> None:
    _title(pen, rng.choice(("DEPARTURES", "Departures", "ARRIVALS", "BUS STOP", "TRAINS")), head, "l")
    times = sorted({f"{rng.randint(5, 23):02d}:{rng.randint(0, 59):02d}" for _ in range(rng.randint(3, 7))})
    rows = list({values.town(rng): time for time in times}.items())
    _rows(rng, pen, rows, ("When is the one to {label}?", "What is the time for {label}?", "At what time is {label}?"))


def _plate(rng: Random, pen: Pen, head: Type) -> None:
    name = values.company(rng)
    shown = _title(pen, name, head)
    pen.layout.facts.append(
        Fact(
            ("What is the name of the company?", "Whose sign is this?", "What is the name on the sign?"),
            shown.text,
            shown,
        )
    )
    pairs = [
        ("Phone", values.phone(rng)),
        ("Web", values.web(rng)),
        ("Floor", str(rng.randint(1, 30))),
        ("Room", values.digits(rng, 3)),
    ]
    pairs += [("Address", values.street(rng)), ("Manager", values.person(rng)), ("Licence No", values.code(rng))]
    for label, value in rng.sample(pairs, rng.randint(2, 5)):
        kind = pen.type
        while kind.width(f"{label}: {value}") > pen.right - pen.left and kind.size > 16:
            kind = kind.times(0.92)
        pen.layout.entries.append(Entry(label, value, pen.put(f"{label}: {value}", type=kind)))
        pen.down()
