"""The attention that transformers gives, and its gradient."""

import pytest
import torch
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
)

from cropvlm_trainer.attention.torch_attention import gradient_attention, last_attention
from cropvlm_trainer.golden.fixtures.models import tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model(3).requires_grad_(False)


@pytest.fixture
def inputs() -> dict:
    ids = torch.tensor([[60, 61, 62, 63, 64, 65]])
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def test_attention_sums_to_one_in_each_layer(model, inputs) -> None:
    found = last_attention(model, inputs, [1, 0])
    assert found.shape == (2, 6)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(2))
    torch.testing.assert_close(found[1], last_attention(model, inputs, [0])[0])


def test_the_model_computes_as_before_afterwards(model, inputs) -> None:
    before = model.config.text_config._attn_implementation
    last_attention(model, inputs, [0])
    gradient_attention(model, inputs, [0])
    assert model.config.text_config._attn_implementation == before != "eager"
    assert not model(**inputs).logits.requires_grad


def test_the_gradient_weighs_the_attention(model, inputs) -> None:
    """A weight of the last layer is changed by hand: the log-likelihood changes as the gradient says."""
    found = gradient_attention(model, inputs, [1])
    assert found.shape == (1, 6) and (found >= 0).all() and found.max() > 0
    attention = model.model.text_model.layers[1].self_attn
    step = 1e-2
    gradients = torch.zeros(4, 6)
    for head in range(4):
        for token in range(6):
            likelihoods = [_likelihood(model, attention, inputs, head, token, sign * step) for sign in (1, -1)]
            gradients[head, token] = (likelihoods[0] - likelihoods[1]) / (2 * step)
    weights = _weights(model, inputs)
    torch.testing.assert_close(found[0], (weights * gradients.relu()).mean(dim=0), rtol=2e-2, atol=1e-4)


def _weights(model, inputs) -> torch.Tensor:
    """The last token's weights in the last layer, [heads, tokens]."""
    model.set_attn_implementation({"text_config": "eager"})
    weights = model(**inputs, output_attentions=True, use_cache=False).attentions[1][0, :, -1]
    model.set_attn_implementation({"text_config": "sdpa"})
    return weights


def _likelihood(model, attention, inputs, head: int, token: int, by: float) -> float:
    """The likeliest first token's log-likelihood where one head's weight on one token is larger by `by`."""
    values = {}
    hook = attention.v_proj.register_forward_hook(lambda _m, _i, output: values.update(v=output))
    edge = attention.o_proj.register_forward_pre_hook(lambda _m, args: (_moved(args[0], values["v"], head, token, by),))
    try:
        return float(torch.log_softmax(model(**inputs, use_cache=False).logits[0, -1].double(), dim=-1).max())
    finally:
        hook.remove()
        edge.remove()


def _moved(x: torch.Tensor, v: torch.Tensor, head: int, token: int, by: float) -> torch.Tensor:
    """The heads' output [1, L, H * 16], moved by that much of the token's value; two heads share one."""
    moved = x.clone()
    moved[0, -1, head * 16 : (head + 1) * 16] += by * v[0, token, head // 2 * 16 : (head // 2 + 1) * 16]
    return moved


TEXT = {"vocab_size": 200, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
TEXT |= {"num_attention_heads": 2, "num_key_value_heads": 2}


def llava() -> tuple[LlavaForConditionalGeneration, dict]:
    """A LLaVA of random weights, and a prompt with an image of 4 tokens."""
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**vision, image_size=28, patch_size=14),
        text_config=LlamaConfig(**TEXT),
        image_token_index=99,
    )
    return LlavaForConditionalGeneration(config), {
        "input_ids": torch.tensor([[1, 99, 99, 99, 99, 5, 6]]),
        "pixel_values": torch.randn(1, 3, 28, 28),
    }


def qwen() -> tuple[Qwen2_5_VLForConditionalGeneration, dict]:
    """A Qwen2.5-VL of random weights, and a prompt with an image of 4 x 4 patches, which become 4 tokens."""
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1e4}
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 32}
    config = Qwen2_5_VLConfig(
        text_config={**TEXT, "rope_parameters": rope},
        vision_config={**vision, "fullatt_block_indexes": [1]},
        **{"image_token_id": 150, "vision_start_token_id": 151, "vision_end_token_id": 152, "video_token_id": 153},
    )
    ids = torch.tensor([[1, 151, 150, 150, 150, 150, 152, 5, 6]])
    return Qwen2_5_VLForConditionalGeneration(config), {
        "input_ids": ids,
        "pixel_values": torch.randn(16, 1176),
        "image_grid_thw": torch.tensor([[1, 4, 4]]),
        "mm_token_type_ids": (ids == 150).long(),
    }


@pytest.mark.parametrize("make", [llava, qwen])
def test_other_models_than_idefics3(make) -> None:
    torch.manual_seed(0)
    model, inputs = make()
    model.eval().requires_grad_(False)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    found = last_attention(model, inputs, [1])
    assert found.shape == inputs["input_ids"].shape
    torch.testing.assert_close(found.sum(), torch.tensor(1.0))
    weighted = gradient_attention(model, inputs, [1])
    assert weighted.shape == found.shape and weighted.max() > 0
