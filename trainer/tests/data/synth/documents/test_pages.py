"""The documents as they come out: any seed has to hold what is promised of them."""

import io
import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from itertools import combinations
from random import Random

import numpy as np
import pytest
from PIL import Image

from cropvlm_trainer.data.seed.labels import label_of
from cropvlm_trainer.data.synth.documents import pages
from cropvlm_trainer.data.synth.documents.layout import rect_of
from cropvlm_trainer.data.synth.documents.pages import KINDS, MAKERS, WAYS, WEIGHTS, make_document
from cropvlm_trainer.data.synth.documents.paint import painted
from cropvlm_trainer.data.synth.documents.place import placed
from cropvlm_trainer.data.synth.documents.questions import asked_about

SLACK = 2.5
"""pixels by which drawing may blur the ink"""


@pytest.fixture(scope="module")
def documents(fonts):
    return [make_document(11, index, fonts, [kind]) for kind in KINDS for index in range(2)]


def test_the_same_seed_draws_the_same_document(fonts, documents):
    def shown(document):
        asked = [(one.question, one.answer, box) for one, box in document.asked]
        return document.jpeg, document.lines, asked

    assert shown(make_document(11, 1, fonts, ["receipt"])) == shown(documents[1])
    assert shown(make_document(12, 1, fonts, ["receipt"])) != shown(documents[1])


def test_kinds_are_drawn_as_often_as_their_weights_say(fonts, monkeypatch):
    assert set(MAKERS) == set(WAYS) == set(KINDS)
    drawn: Counter[str] = Counter()

    class Enough(Exception):
        """Ends a document once its kind is known."""

    def noting(kind):
        def make(*_):
            drawn[kind] += 1
            raise Enough

        return make

    monkeypatch.setattr(pages, "MAKERS", {kind: noting(kind) for kind in KINDS})
    for index in range(1100):
        with suppress(Enough):
            make_document(3, index, fonts)
    assert {kind: drawn[kind] / 100 for kind in KINDS} == pytest.approx(WEIGHTS, abs=0.5)
    drawn.clear()
    for index in range(40):
        with suppress(Enough):
            make_document(3, index, fonts, ["table", "sign"])
    assert set(drawn) == {"table", "sign"}


def test_pictures_have_the_sizes_of_scans(documents):
    for document in documents:
        size = Image.open(io.BytesIO(document.jpeg)).size
        assert 600 <= max(size) <= 1600 and min(size) >= 250, size


def test_boxes_lie_in_the_picture_and_are_those_of_lines(documents):
    for document in documents:
        boxes = {line.box: line.text for line in document.lines}
        assert document.asked and len(document.lines) >= 2
        for asked, box in document.asked:
            assert all(0 <= v <= 100 for v in box) and box[0] < box[2] and box[1] < box[3]
            assert asked.answer in boxes[box], (asked.answer, boxes[box])


def test_questions_of_a_page_differ_and_receipts_have_their_fields(documents):
    for document in documents:
        questions = [asked.question for asked, _ in document.asked]
        assert len(set(questions)) == len(questions)
        if document.kind == "receipt":
            assert {asked.field for asked, _ in document.asked} >= {"total", "company", ""}
    assert len({asked.question for document in documents for asked, _ in document.asked}) > 6 * len(documents)


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_hold_the_ink_of_the_answer(fonts, kind):
    """What changes in the picture when the answer is taken out of the document is within the box of its line."""
    for seed in range(2):
        layout = MAKERS[kind](Random(seed), fonts)
        way = list(WAYS[kind])[-1]
        picture = placed(Random(seed), painted(layout).convert("RGB"), layout.squeeze, way)
        pixels = np.asarray(picture.image, dtype=np.int16)
        lines = {text: rect_of(line) for line in layout.lines() for text in line}
        asked = asked_about(layout, Random(seed), layout.texts())
        for one in (asked[0], asked[-1]):
            without = replace(layout, marks=[mark for mark in layout.marks if mark is not one.text])
            blank = placed(Random(seed), painted(without).convert("RGB"), layout.squeeze, way)
            rows, columns = np.nonzero(np.abs(pixels - np.asarray(blank.image)).max(axis=2) > 30)
            width, height = picture.image.size
            x1, y1, x2, y2 = np.multiply(picture.rect(lines[one.text]), (width, height, width, height)) / 100
            assert len(rows) > 5, one
            assert x1 - SLACK <= columns.min() and columns.max() + 1 <= x2 + SLACK, one
            assert y1 - SLACK <= rows.min() and rows.max() + 1 <= y2 + SLACK, one


@pytest.mark.parametrize("kind", KINDS)
def test_labels_that_are_asked_for_stand_on_the_page_once(fonts, kind):
    checked = 0
    for seed in range(6):
        layout = MAKERS[kind](Random(seed), fonts)
        # Before a colon, before two spaces, or alone.
        heads = Counter(label_of(re.split(r":|  ", text.text)[0]) for text in layout.texts())
        label_of_text = {entry.text: label_of(entry.label) for entry in layout.entries}
        for asked in asked_about(layout, Random(seed), layout.texts()):
            label = label_of_text.get(asked.text)
            if asked.is_label and label and label in asked.question:
                assert heads[label] == 1, (asked, heads)
                checked += 1
    assert (checked > 2) is (kind != "table"), "a table has no labels"


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_is_printed_over_another(fonts, kind):
    for seed in range(40):
        texts = [text for text in MAKERS[kind](Random(seed), fonts).texts() if any(map(str.isalnum, text.text))]
        for one, other in combinations(texts, 2):
            (x1, y1, x2, y2), (left, top, right, bottom) = one.rect, other.rect
            height = min(y2 - y1, bottom - top)
            apart = min(x2, right) - max(x1, left) < 3 or min(y2, bottom) - max(y1, top) < 0.35 * height
            assert apart, (seed, one.text, other.text)
