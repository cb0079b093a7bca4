"""Questions behind one prefix have the losses that they have in prompts of their own."""

from __future__ import annotations

import pytest
import torch

from cropvlm_trainer.contract import cropper_prompt, format_box
from cropvlm_trainer.full_sft.sequence import PADDING, PREFIX, QuestionPacker, attention_mask
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model
from cropvlm_trainer.idefics3.forward import IGNORE, Batch, encode_tiles, hidden_states, token_loss

ASKED = [
    [("What is the total?", (3, 5, 40, 50)), ("What is the date, please?", (10, 60, 90, 71))],
    [("Who?", (0, 0, 100, 100))],
]


@pytest.fixture(scope="module")
def model():
    model = tiny_model(3).eval()
    # as in training: attention that takes a mask of its own
    model.set_attn_implementation("eager")
    return model


@torch.no_grad()
def test_each_question_has_the_loss_that_it_has_alone(model, builder):
    tiles = torch.randint(0, 256, (2, TINY.tile, TINY.tile, 3), dtype=torch.uint8)
    packed = QuestionPacker(builder).pack(ASKED)
    features = encode_tiles(model, tiles)
    embeds = model.model.text_model.embed_tokens(packed.input_ids)
    is_image = (packed.input_ids == model.config.image_token_id)[..., None]
    embeds = embeds.masked_scatter(is_image, features.reshape(-1, features.shape[-1]))
    hidden = model.model.text_model(
        inputs_embeds=embeds,
        attention_mask=attention_mask(packed.segments, embeds.dtype),
        position_ids=packed.position_ids,
        use_cache=False,
    ).last_hidden_state
    for picture, pairs in enumerate(ASKED):
        for number, (question, box) in enumerate(pairs, start=1):
            ids, start = builder.encode(1, cropper_prompt(question), format_box(box))
            input_ids, labels = builder.collate([(ids, start)])
            batch = Batch(tiles[picture : picture + 1], torch.tensor([[0]]), input_ids, labels)
            alone = hidden_states(model, features[picture : picture + 1], batch.image_index, input_ids)
            expected, _ = token_loss(model, alone, labels)
            own = packed.labels[picture : picture + 1].masked_fill(
                packed.segments[picture : picture + 1] != number, IGNORE
            )
            together, _ = token_loss(model, hidden[picture : picture + 1], own)
            assert torch.allclose(together, expected, atol=1e-5), f"{question}: {together} and alone {expected}"


def test_the_prompt_is_that_of_the_chat_template(builder):
    packer = QuestionPacker(builder)
    ids, start = builder.encode(1, cropper_prompt("Who?"), " x")
    assert packer.prompt("Who?") == ids[:start]


def test_who_sees_whom():
    segments = torch.tensor([[PREFIX, PREFIX, 1, 1, 2, PADDING]])
    sees = attention_mask(segments, torch.float32)[0, 0] == 0
    assert sees.int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 0, 1],
    ]
