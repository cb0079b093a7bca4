"""Questions about the labels of a page."""

from __future__ import annotations

from cropvlm_trainer.data.seed.evidence import Line
from cropvlm_trainer.data.seed.labels import label_questions


def row(y: float, *texts: str) -> list[Line]:
    """Lines beside each other."""
    return [Line((30.0 * at, y, 30.0 * at + 25, y + 2), text) for at, text in enumerate(texts)]


def asked(*lines: Line) -> dict[str, str]:
    return {question.question: question.answer for question in label_questions(lines)}


def test_a_label_stands_before_a_colon_or_at_the_left():
    lines = [*row(0, "Invoice No.: 4711"), *row(5, "Sub Total", "2", "11.90"), *row(10, "CASHIER :", "Till 3")]
    assert asked(*lines) == {
        "What is the invoice no?": "4711",
        "What is the sub total?": "11.90",
        "What is the cashier?": "Till 3",
    }
    questions = {question.question: question.line.text for question in label_questions(lines)}
    assert questions["What is the invoice no?"] == "Invoice No.: 4711"
    assert questions["What is the sub total?"] == "11.90"


def test_what_is_no_label():
    assert asked(*row(0, "Thank you", "Come again"), *row(5, "12:30"), *row(10, "1 x Bread", "4.20")) == {}
    assert asked(*row(0, "A very long line of text that nobody would take for a label: 5")) == {}
    assert asked(*row(0, "Total"), *row(5, "", "9.00")) == {}, "the value stands in another row"


def test_a_label_that_stands_twice_is_left_out():
    assert asked(*row(0, "Total: 1.00"), *row(5, "TOTAL: 2.00"), *row(9, "Tax: 3.00")) == {"What is the tax?": "3.00"}
