"""What is asked about a document: its fields, any of its labels, and the cells of its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from cropvlm_trainer.data.seed.labels import label_of
from cropvlm_trainer.data.synth.documents.layout import Layout, Text

ASKED_PLAINLY = 0.6
"""The share of labels that are asked for as `data seed --labels` does."""
PHRASES = (
    "What is the value of {label}?",
    "What does it say for {label}?",
    "What is written beside {label}?",
    "Which {label} is given?",
    "Find the {label}.",
    "{label}?",
    "Read the {label}.",
    "Can you tell me the {label}?",
    "What's the {label} on this page?",
)
MONEY_PHRASES = ("How much is the {label}?", "What is the amount of {label}?", "What amount is given for {label}?")


@dataclass(frozen=True)
class Asked:
    question: str
    answer: str
    text: Text
    is_label: bool
    """whether it is one of many such questions of the page, of which training takes some at a time"""
    field: str = ""
    """total, date or company; "" for others"""


def asked_about(layout: Layout, rng: Random, shown: Sequence[Text]) -> list[Asked]:
    """Returns the questions: first those for fields, then those for labels and cells in random order.

    `shown` are the texts that can be seen; what is not among them is not asked for. A label that stands on the page
    twice is left out, and so are questions that come twice: they would have two answers.
    """
    seen = set(shown)
    fields = [
        Asked(rng.choice(fact.questions), fact.answer, fact.text, False, fact.field)
        for fact in layout.facts
        if not fact.is_cell
    ]
    more = [Asked(rng.choice(fact.questions), fact.answer, fact.text, True) for fact in layout.facts if fact.is_cell]
    counts = labels_of(layout)
    for entry in layout.entries:
        label = label_of(entry.label)
        if label is None or counts[label] > 1:
            continue
        phrases = (*PHRASES, *MONEY_PHRASES * 2) if entry.is_money else PHRASES
        phrase = "What is the {label}?" if rng.random() < ASKED_PLAINLY else rng.choice(phrases)
        more.append(Asked(phrase.format(label=label), entry.answer, entry.text, True))
    rng.shuffle(more)
    asked = [one for one in (*fields, *more) if one.text in seen]
    times = Counter(one.question.casefold() for one in asked)
    return [one for one in asked if times[one.question.casefold()] == 1]


def labels_of(layout: Layout) -> Counter[str]:
    """Returns how often each label stands on the page: before its value or a colon, or as a text of its own."""
    counts: Counter[str] = Counter()
    label_before = {entry.text: entry.label for entry in layout.entries if _begins(entry.text, entry.label)}
    for text in layout.texts():
        label = label_of(label_before.get(text) or text.text.split(":")[0])
        if label is not None:
            counts[label] += 1
    return counts


def _begins(text: Text, label: str) -> bool:
    return text.text.casefold().startswith(label.casefold())
