import pytest
import torch
from torch.nn import functional as F

from cropvlm_trainer.contract import parse_box
from cropvlm_trainer.data import synth
from cropvlm_trainer.data.regions import around
from cropvlm_trainer.data.stream import LOOKS, pointing_batch
from cropvlm_trainer.forward import IGNORE, PromptBuilder, answer_loss, encode_tiles, hidden_states
from cropvlm_trainer.measures import contains
from cropvlm_trainer.model import Shape, build_model
from cropvlm_trainer.pointing import NAMING, SEEING, TOKEN_WEIGHTS, Helpers, pointing_loss, seeing_loss
from cropvlm_trainer.pretrain import mini_tokenizer

SHAPE = Shape(
    tile=96, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=2
)


@pytest.fixture(scope="module")
def parts():
    tokenizer = mini_tokenizer()
    builder = PromptBuilder(tokenizer, SHAPE.tokens_per_tile)
    model = build_model(SHAPE, tokenizer, 0)
    return tokenizer, builder, model, Helpers(model, builder)


def test_every_thing_that_looks_like_something_is_marked_where_it_stands(parts):
    _, builder, _, _ = parts
    batch = pointing_batch(builder, 96, 7, 0, 6, {"shapes": 1})
    for number in range(6):
        page, _ = synth.make_page(7, number, weights={"shapes": 1})
        marked = {(cell, LOOKS[word]) for cell, word in batch.looks[number].nonzero().tolist()}
        expected = set()
        for question in page.questions:
            x1, y1, x2, _ = page.to_percent(question.evidence_rect)
            bottom = page.to_percent(question.answer_rect)[1]
            column, row = int((x1 + x2) / 2 / (100 / 6)), int((y1 + bottom) / 2 / (100 / 6))
            expected |= {(row * 6 + column, name) for name in question.names}
        assert marked == expected


def test_answers_are_boxes_around_the_evidence_and_names_the_words_of_the_question(parts):
    tokenizer, builder, _, _ = parts
    batch = pointing_batch(builder, 96, 8, 0, 9)
    row = 0
    for number in range(9):
        page, _ = synth.make_page(8, number)
        for question in page.questions[:4]:
            evidence = page.to_percent(question.evidence_rect)
            box = parse_box(tokenizer.decode(batch.labels[row][batch.labels[row] != IGNORE].tolist()))
            assert box == around(evidence) and contains(box, evidence)
            assert [tokenizer.id_to_token(i).lstrip("Ġ") for i in batch.names[row].tolist()] == list(question.names)
            row += 1
    assert row == len(batch.labels)


def test_a_word_of_several_tokens_cannot_name(parts):
    with pytest.raises(ValueError, match="'unheard' is .* tokens"):
        parts[1].word("unheard")


@torch.no_grad()
def test_the_loss_is_the_boxes_and_both_helpers(parts):
    _, builder, model, helpers = parts
    batch = pointing_batch(builder, 96, 9, 0, 3)
    loss, scalars = pointing_loss(model, helpers, batch)
    boxes, right = answer_loss(model, batch, TOKEN_WEIGHTS)
    seeing, _ = seeing_loss(model, helpers, batch)
    assert scalars["pointing"].item() == pytest.approx(boxes.item(), rel=1e-5)
    assert scalars["seeing"].item() == pytest.approx(seeing.item(), rel=1e-5)
    assert scalars["pointed"].item() == right.float().mean().item()
    # The naming loss, counted out: the state that gives the first digit, half-way through the layers.
    middle: list[torch.Tensor] = []
    hidden_states(model, encode_tiles(model, batch.tiles), batch.image_index, batch.input_ids, middle)
    total = 0.0
    for row, labels in enumerate(batch.labels):
        start = (labels != IGNORE).nonzero()[0].item()
        assert model.config.text_config.vocab_size > labels[start + 1] >= 0
        state = F.rms_norm(middle[0][row, start + 1], (32,))
        first, second = helpers.names(state).chunk(2)
        for logits, name in zip((first, second), batch.names[row], strict=True):
            total -= torch.log_softmax(logits, -1)[name].item()
    assert scalars["naming"].item() == pytest.approx(total / 2 / len(batch.labels), rel=1e-4)
    expected = boxes + SEEING * scalars["seeing"] + NAMING * scalars["naming"]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_helpers_teach_the_model(parts):
    _, builder, model, helpers = parts
    loss, _ = pointing_loss(model, helpers, pointing_batch(builder, 96, 9, 0, 2))
    loss.backward()
    patches = model.model.vision_model.embeddings.patch_embedding.weight.grad
    queries = model.model.text_model.layers[0].self_attn.q_proj.weight.grad
    assert patches.abs().max() > 0 and queries.abs().max() > 0
    model.zero_grad(set_to_none=True)
