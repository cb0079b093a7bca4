"""The three fields that receipts and invoices are asked for, in the words in which people ask."""

from __future__ import annotations

import re

from cropvlm_trainer.data.synth.documents.layout import Fact, Text

TOTAL = (
    "What is the total amount?",
    "What is the total amount?",
    "What is the total?",
    "How much is the total?",
    "How much was paid in total?",
    "What is the total to pay?",
    "What is the grand total?",
    "What is the final amount on this {page}?",
    "What does it cost altogether?",
)
DATE = (
    "What is the date on this {page}?",
    "What is the date on this {page}?",
    "What is the date?",
    "On which date was it issued?",
    "When was this {page} issued?",
    "Which date is on the {page}?",
    "What day is printed on this {page}?",
)
COMPANY = (
    "What is the name of the store?",
    "What is the name of the store?",
    "What is the name of the company?",
    "Which company issued this {page}?",
    "Which shop is this {page} from?",
    "Who is the seller?",
    "What is the name of the business?",
    "Who issued this {page}?",
)


def total_fact(answer: str, text: Text, page: str = "receipt") -> Fact:
    return _fact("total", TOTAL, answer, text, page)


def date_fact(answer: str, text: Text, page: str = "receipt") -> Fact:
    return _fact("date", DATE, answer, text, page)


def company_fact(answer: str, text: Text, page: str = "receipt") -> Fact:
    return _fact("company", COMPANY, answer, text, page)


def _fact(field: str, questions: tuple[str, ...], answer: str, text: Text, page: str) -> Fact:
    """`page`: what people call it. Only a receipt is of a shop."""
    asked = (question for question in questions if page == "receipt" or not re.search("store|shop|seller", question))
    return Fact(tuple(question.format(page=page) for question in asked), answer, text, field=field)
