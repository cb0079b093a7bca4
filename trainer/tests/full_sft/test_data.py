"""Batches are functions of the seed and the step; data sets give equally many pages."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.lines import read_lines

from cropvlm_trainer.full_sft import data
from cropvlm_trainer.full_sft.data import PageBatches, PageSet, classes_of, read_sets
from cropvlm_trainer.full_sft.sequence import MULTIPLE, QuestionPacker
from cropvlm_trainer.golden.fixtures.models import TINY


def read(given: Path) -> tuple[list[PageSet], list[str]]:
    sets, words, left_out = read_sets([given / "pages/seeded.jsonl"], [given / "pages/seeded.text.jsonl"])
    assert left_out == [0]
    return sets, words


def batches(given: Path, builder, sets=None, **settings) -> PageBatches:
    only, words = read(given)
    tokens, classes = TINY.tokens_per_tile, classes_of(words)
    settings = {"seed": 1, "batch": 2, "labels": 3, "augment": 1.0} | settings
    return PageBatches(sets or only, QuestionPacker(builder), TINY.tile, tokens, classes, **settings)


def test_batches_depend_on_seed_and_step_alone(given, builder):
    first, again, other = (batches(given, builder, seed=seed) for seed in (1, 1, 2))
    again(0)
    assert torch.equal(first(3).tiles, again(3).tiles) and torch.equal(first(3).input_ids, again(3).input_ids)
    assert not torch.equal(first(3).tiles, other(3).tiles)


def test_an_epoch_has_each_page_once(given, builder):
    made = batches(given, builder, augment=0.0)
    pages = [made._page(number)[1].image for number in range(12)]
    assert sorted(pages[:6]) == sorted(pages[6:]) == [f"images/{number}.png" for number in range(6)]
    assert pages[:6] != pages[6:]


def test_sets_give_pages_in_turn_whatever_their_sizes(given, builder):
    (whole,), _ = read(given)
    few = PageSet(whole.folder, tuple(replace(page, rows=page.rows[:1]) for page in whole.pages[:2]))
    made = batches(given, builder, [whole, few])
    drawn = [made._page(number)[1] for number in range(24)]
    assert sorted(page.image for page in drawn[:12:2]) == [f"images/{number}.png" for number in range(6)]
    assert sorted(page.image for page in drawn[1::2]) == sorted(["images/0.png", "images/1.png"] * 6)


def test_pictures_are_kept_as_far_as_there_is_room(given, builder, monkeypatch):
    whole = batches(given, builder)
    wanted = [whole(step).tiles for step in (0, 1, 2, 1)]
    sizes = {picture.width * picture.height * 3 for picture in whole._kept.values()}
    assert len(whole._kept) == 6 and len(sizes) == 1
    # two of the six, and nearly a third
    monkeypatch.setattr(data, "KEPT_BYTES", 3 * sizes.pop() - 1)
    little = batches(given, builder)
    assert all(torch.equal(little(step).tiles, tiles) for step, tiles in zip((0, 1, 2, 1), wanted, strict=True))
    assert len(little._kept) == 2


def test_words_are_those_of_all_sets(given, tmp_path):
    manifests, texts = [given / "pages/seeded.jsonl"] * 2, [given / "pages/seeded.text.jsonl"] * 2
    sets, words, left_out = read_sets(manifests, texts)
    assert len(sets) == 2 and left_out == [0, 0]
    assert words == ["total"] and all(page.places for of in sets for page in of.pages)
    sets, words, _ = read_sets(manifests, [])
    assert words == [] and not any(page.places for of in sets for page in of.pages)


def test_rows_whose_answers_are_all_blank_are_not_taught(given, capsys):
    pages = given / "pages"
    first, *others = read_lines(pages / "seeded.jsonl")
    manifest = pages / "blank.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in ({**first, "answers": [""]}, *others)))
    (only,), _, left_out = read_sets([manifest], [])
    assert left_out == [0] and [len(page.rows) for page in only.pages] == [0, 1, 1, 1, 1, 1]
    assert f"1 rows of {manifest} left out: every answer is blank" in capsys.readouterr().err


def test_a_set_of_which_nothing_would_be_asked_is_refused(given, builder):
    (whole,), _ = read(given)
    labels_alone = PageSet(whole.folder, tuple(replace(page, rows=()) for page in whole.pages))
    assert batches(given, builder, [labels_alone], labels=1)(0).labels.shape[0] > 0
    with pytest.raises(ValueError, match="pages is about a label, and labels = 0 asks none of them; set it to 1"):
        batches(given, builder, [whole, labels_alone], labels=0)


@pytest.mark.parametrize(("labels", "questions"), [(0, 1), (3, 2)])
def test_labels_are_asked_as_often_as_said(given, builder, labels, questions):
    batch = batches(given, builder, labels=labels, augment=0.0)(0)
    assert batch.packed.segments.max(dim=1).values.tolist() == [questions, questions]
    assert batch.input_ids.shape[1] % MULTIPLE == 0
