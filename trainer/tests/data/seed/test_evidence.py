"""Which lines of a text show an answer."""

from __future__ import annotations

import pytest

from cropvlm_trainer.data.seed.evidence import Line, evidence


def page(*texts: str, heights: dict[int, float] | None = None) -> list[Line]:
    """Lines under one another, each 2 per cent high where `heights` has no other."""
    return [
        Line((10.0, 5.0 * at, 60.0, 5.0 * at + (heights or {}).get(at, 2.0)), text) for at, text in enumerate(texts)
    ]


def shown(answer: str, *texts: str) -> str | None:
    line = evidence([answer], page(*texts))
    return line and line.text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("9.00", "TOTAL RM 9.00"),
        ("9.00", "TOTAL:9.00"),
        ("9.00", "TOTAL RM9.00"),
        ("RM 1,234.50", "Sum RM1234.50"),
        ("INV001", "Invoice INV001"),
        ("A12", "Seat A12"),
        ("9.00", "9. 00"),
        ("1234.50", "Sum 1,234.50 EUR"),
        ("1,234.50", "1234.50"),
        ("$5", "5 dollars"),
        ("25/12/2018", "Date: 25/12/2018 8:13:39 PM"),
        ("main street 7", "7, Main Street 7"),
        ("Blue Ox", "THE BLUE OX TAVERN"),
        ("bookshop", "BOOK SHOP"),
        ("Éclair", "éclair"),
        ("Tan Woon Yann", "TAN W0ON YANN"),
    ],
)
def test_a_line_shows_its_answer(answer, text):
    assert shown(answer, "Welcome", text, "Thank you") == text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("9.00", "TOTAL 19.00"),
        ("9.00", "9.001"),
        ("9.00", "1,9.00"),
        ("9", "9.50"),
        ("9.00", "RM9.005"),
        ("A12", "Seat 12"),
        ("5", "Table 55"),
        ("no", "normal"),
        ("ox", "The box"),
        ("25/12/2018", "26/12/2018"),
        ("1/1/2018", "11/1/2018"),
        ("No. 4711 A", "No. 14711 A"),
        ("John", "Joan"),
        ("", "Welcome"),
        ("?", "What?"),
    ],
)
def test_what_only_looks_like_the_answer_is_no_evidence(answer, text):
    assert shown(answer, "Welcome", text) is None


def test_the_tallest_type_counts_and_of_equals_the_first():
    texts = ("Total 9.00", "Cash 9.00", "Paid 9.00")
    assert evidence(["9.00"], page(*texts)).text == "Total 9.00"
    assert evidence(["9.00"], page(*texts, heights={1: 3.0})).text == "Cash 9.00"
    assert evidence(["9.00"], page(*texts, heights={1: 2.04})).text == "Total 9.00", "no taller to the eye"


def test_an_answer_over_several_lines_has_the_box_around_them():
    lines = page("Receipt", "GREEN VALLEY", "TRADING COMPANY", "Tel 1")
    found = evidence(["Green Valley Trading Company"], lines)
    assert found.text == "GREEN VALLEY\nTRADING COMPANY"
    assert found.box == (10.0, 5.0, 60.0, 12.0)
    hyphened = evidence(["Green Valley Trading Company"], page("by GREEN VALLEY", "TRADING COMPANY LTD", "Tel 1"))
    assert hyphened.text == "by GREEN VALLEY\nTRADING COMPANY LTD"


def test_parts_of_an_answer_with_other_text_between_them():
    lines = page("GREEN VALLEY", "Copy", "TRADING COMPANY", heights={2: 4.0})
    assert evidence(["Green Valley Trading Company"], lines).text == "TRADING COMPANY"


def test_any_of_the_answers_will_do():
    assert evidence(["nine", "9.00"], page("Total 9.00")).text == "Total 9.00"
    assert evidence(["nine", "ten"], page("Total 9.00")) is None
    assert evidence(["nine"], []) is None
