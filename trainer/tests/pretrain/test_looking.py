"""Questions about how things look: which are asked, what is answered, and that nothing is said of places."""

from __future__ import annotations

import re

import pytest
import torch

from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.idefics3.forward import IGNORE
from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain.aux_losses import NAMING, SEEING, AuxHeads, looking_loss
from cropvlm_trainer.pretrain.batches import APPEARANCE_WORDS, reading_batch
from cropvlm_trainer.pretrain.looking import all_looks, looking_batch, looks
from cropvlm_trainer.pretrain.no_boxes import NoBoxes, looks_at, shapes_to_look_at
from cropvlm_trainer.pretrain.train import mini_tokenizer

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=2
)


@pytest.fixture(scope="module")
def parts():
    tokenizer = mini_tokenizer(no_boxes=True)
    builder, model = PromptBuilder(tokenizer, SHAPE.tokens_per_tile), build_model(SHAPE, tokenizer, 0)
    return tokenizer, builder, model, AuxHeads(model, builder)


def answers(tokenizer, labels) -> list[str]:
    return [tokenizer.decode(row[row != IGNORE].tolist()).strip().lower().rstrip(".") for row in labels]


def test_every_question_has_one_answer_on_its_page(parts):
    tokenizer, builder, *_ = parts
    batch = looking_batch(builder, SHAPE.tile, 7, 0, 6)
    row, found = 0, answers(tokenizer, batch.labels)
    for number in range(6):
        page, _ = dataset.make_page(7, number, weights={"shapes": 1})
        shown = [question.names for question in page.questions]
        assert {APPEARANCE_WORDS[i] for i in batch.page_words[number].nonzero().flatten().tolist()} == {
            name for names in shown for name in names
        }
        for _ in range(min(4, len(looks(page)))):
            word = tokenizer.id_to_token(batch.named_words[row, 0].item()).lstrip("Ġ")
            (names,) = [names for names in shown if word in names]
            assert {word, found[row]} == set(names)
            row += 1
    assert row == len(found) > 6
    assert set(found) <= {answer for _, answer in all_looks()}


def test_no_answer_of_a_base_without_boxes_has_a_box(parts):
    tokenizer, builder, model, aux_heads = parts
    lessons = NoBoxes(model, aux_heads, builder, SHAPE.tile, 3, 40, 1)
    texts = [text for step in range(0, 40, 3) for text in answers(tokenizer, lessons.make(step).labels)]
    texts += [text for step in range(4, 40, 9) for text in answers(tokenizer, lessons.make(step).labels)]
    assert len(texts) > 40 and not [text for text in texts if re.search(r"[\[\],]", text)]
    assert any(text.isdigit() for text in texts) and any(text.isalpha() for text in texts)


def test_it_looks_alone_first_and_then_every_third_step():
    assert [looks_at(step, 100) for step in range(14)] == [True] * 10 + [False, False, True, False]
    assert [shapes_to_look_at(step, 100) for step in (0, 3, 4, 9, 10, 29, 30, 99)] == [1, 1, 2, 2, 4, 4, 8, 8]


@torch.no_grad()
def test_the_loss_is_the_answers_the_tags_of_the_page_and_the_words_of_the_question(parts):
    _, builder, model, aux_heads = parts
    loss, scalars = looking_loss(model, aux_heads, looking_batch(builder, SHAPE.tile, 9, 0, 3))
    expected = scalars["looking"] + SEEING * scalars["tags"] + NAMING * scalars["naming"]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@torch.no_grad()
def test_tags_do_not_depend_on_where_things_are(parts):
    _, builder, model, aux_heads = parts
    batch = looking_batch(builder, SHAPE.tile, 9, 0, 3)
    features = torch.randn(3, SHAPE.tokens_per_tile, 32, generator=torch.Generator().manual_seed(0))
    here, there = (aux_heads.tags(model, part, batch).item() for part in (features, features.roll(1, dims=1)))
    assert here == pytest.approx(there, rel=1e-5)
    batch.page_words = 1 - batch.page_words
    assert aux_heads.tags(model, features, batch).item() != pytest.approx(here, rel=1e-3)


def test_crops_to_read_are_as_before(parts):
    """The reading of a base without boxes is that of any other: full image and crop."""
    _, builder, model, aux_heads = parts
    lessons = NoBoxes(model, aux_heads, builder, SHAPE.tile, 3, 1000, 2)
    batch, same = lessons.make(400), reading_batch(builder, SHAPE.tile, 3, 400, 2, width=2 / 3)
    assert torch.equal(batch.tiles, same.tiles) and torch.equal(batch.labels, same.labels)
