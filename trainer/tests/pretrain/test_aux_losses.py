import pytest
import torch
from torch.nn import functional as F

from cropvlm_trainer.contract import END_OF_UTTERANCE, format_box
from cropvlm_trainer.idefics3.forward import IGNORE, encode_tiles, hidden_states
from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.pretrain.aux_losses import (
    CORNER,
    DIGIT,
    FORCED,
    NAMING,
    SEEING,
    AuxHeads,
    pointed,
    pointing_loss,
    seeing_loss,
)
from cropvlm_trainer.pretrain.batches import pointing_batch

SHAPE = Shape(
    tile=96, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=2
)


@pytest.fixture(scope="module")
def parts(tokenizer):
    builder = PromptBuilder(tokenizer, SHAPE.tokens_per_tile)
    model = build_model(SHAPE, tokenizer, 0)
    return tokenizer, builder, model, AuxHeads(model, builder)


def test_a_word_of_several_tokens_cannot_name(parts):
    with pytest.raises(ValueError, match="'unheard' is .* tokens"):
        parts[1].word("unheard")


def test_corners_are_the_first_digits_of_x1_and_y1(parts):
    _, builder, _, aux_heads = parts
    rows = [builder.encode(1, "Where?", format_box(box)) for box in ((12, 5, 80, 47), (0, 31, 9, 100))]
    _, labels = builder.collate(rows)
    digits, corners = aux_heads.corners(labels)
    spelt = [parts[0].id_to_token(i) for i in labels[0][labels[0] != IGNORE].tolist()]
    assert spelt == ["Ġ[", "1", "2", ",", "Ġ", "5", ",", "Ġ", "8", "0", ",", "Ġ", "4", "7", "].", END_OF_UTTERANCE]
    first = (labels[0] != IGNORE).nonzero()[0].item()
    assert corners[0].nonzero().flatten().tolist() == [first + 1, first + 5]
    assert digits[0].nonzero().flatten().tolist() == [first + i for i in (1, 2, 5, 8, 9, 12, 13)]
    second = (labels[1] != IGNORE).nonzero()[0].item()
    assert corners[1].nonzero().flatten().tolist() == [second + 1, second + 4]
    _, x1_alone = aux_heads.corners(labels, numbers=1)
    assert x1_alone.nonzero().tolist() == [[0, first + 1], [1, second + 1]]
    right = torch.ones(labels.shape, dtype=torch.bool)
    right[0, first + 12] = False
    assert pointed(right, corners) == 1
    right[0, first + 5] = False
    assert pointed(right, corners) == 0.5


@torch.no_grad()
def test_the_loss_is_the_boxes_and_both_auxiliary_losses(parts):
    _, builder, model, aux_heads = parts
    batch = pointing_batch(builder, 96, 9, 0, 3)
    loss, scalars = pointing_loss(model, aux_heads, batch)
    seeing, _ = seeing_loss(model, aux_heads, batch)
    assert scalars["seeing"].item() == pytest.approx(seeing.item(), rel=1e-5)
    middle: list[torch.Tensor] = []
    features = encode_tiles(model, batch.tiles)
    hidden = hidden_states(model, features, batch.image_index, batch.input_ids, middle)
    log_probs = torch.log_softmax(model.lm_head(hidden), -1)
    digits, corners = aux_heads.corners(batch.labels)
    naming, boxes, weight = [], 0.0, 0.0
    for row, column in (batch.labels != IGNORE).nonzero().tolist():
        counts = CORNER if corners[row, column] else DIGIT if digits[row, column] else FORCED
        boxes -= counts * log_probs[row, column, batch.labels[row, column]].item()
        weight += counts
        if corners[row, column]:
            state = F.rms_norm(middle[0][row, column], (32,))
            for logits, name in zip(aux_heads.names(state).chunk(2), batch.named_words[row], strict=True):
                naming.append(-torch.log_softmax(logits, -1)[name].item())
    assert scalars["pointing"].item() == pytest.approx(boxes / weight, rel=1e-4)
    assert len(naming) == 4 * len(batch.labels)
    assert scalars["naming"].item() == pytest.approx(sum(naming) / len(naming), rel=1e-4)
    expected = boxes / weight + SEEING * seeing + NAMING * scalars["naming"]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)


def test_auxiliary_losses_teach_the_model(parts):
    _, builder, model, aux_heads = parts
    loss, _ = pointing_loss(model, aux_heads, pointing_batch(builder, 96, 9, 0, 2))
    loss.backward()
    patches = model.model.vision_model.embeddings.patch_embedding.weight.grad
    queries = model.model.text_model.layers[0].self_attn.q_proj.weight.grad
    assert patches.abs().max() > 0 and queries.abs().max() > 0
    model.zero_grad(set_to_none=True)
