import pytest
import torch

from cropvlm_trainer.boxes import around
from cropvlm_trainer.contract import parse_box
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.idefics3.forward import IGNORE
from cropvlm_trainer.idefics3.model import Shape
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.metrics.exact_and_iou import contains
from cropvlm_trainer.pretrain.batches import APPEARANCE_WORDS, pointing_batch, reading_batch

SMALL, PAGE = Shape(tile=32, patch=8, shuffle=2), Shape(tile=96, patch=8, shuffle=2)


@pytest.fixture(scope="module")
def builder(tokenizer):
    return PromptBuilder(tokenizer, SMALL.tokens_per_tile)


@pytest.fixture(scope="module")
def page_builder(tokenizer):
    return PromptBuilder(tokenizer, PAGE.tokens_per_tile)


def test_batches_depend_on_seed_and_number_alone(builder):
    one = reading_batch(builder, SMALL.tile, 1, 3, 2, 0.5)
    same = reading_batch(builder, SMALL.tile, 1, 3, 2, 0.5)
    other = reading_batch(builder, SMALL.tile, 2, 3, 2, 0.5)
    assert torch.equal(one.tiles, same.tiles) and torch.equal(one.input_ids, same.input_ids)
    assert one.tiles.shape != other.tiles.shape or not torch.equal(one.tiles, other.tiles)


def test_every_thing_that_looks_like_something_is_marked_where_it_stands(page_builder):
    batch = pointing_batch(page_builder, PAGE.tile, 7, 0, 6, {"shapes": 1})
    for number in range(6):
        page, _ = dataset.make_page(7, number, weights={"shapes": 1})
        marked = {(cell, APPEARANCE_WORDS[word]) for cell, word in batch.cell_words[number].nonzero().tolist()}
        expected = set()
        for question in page.questions:
            x1, y1, x2, _ = page.to_percent(question.evidence_rect)
            bottom = page.to_percent(question.answer_rect)[1]
            column, row = int((x1 + x2) / 2 / (100 / 6)), int((y1 + bottom) / 2 / (100 / 6))
            expected |= {(row * 6 + column, name) for name in question.names}
        assert marked == expected


def test_answers_are_boxes_around_the_evidence_and_names_the_words_of_the_question(tokenizer, page_builder):
    batch = pointing_batch(page_builder, PAGE.tile, 8, 0, 9)
    row = 0
    for number in range(9):
        page, _ = dataset.make_page(8, number)
        for question in page.questions[:4]:
            evidence = page.to_percent(question.evidence_rect)
            box = parse_box(tokenizer.decode(batch.labels[row][batch.labels[row] != IGNORE].tolist()))
            assert box == around(evidence) and contains(box, evidence)
            assert [tokenizer.id_to_token(i).lstrip("Ġ") for i in batch.named_words[row].tolist()] == list(
                question.names
            )
            row += 1
    assert row == len(batch.labels)
