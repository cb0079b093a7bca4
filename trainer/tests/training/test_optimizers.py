from types import SimpleNamespace

import pytest

from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.pretrain.train import mini_tokenizer
from cropvlm_trainer.training.optimizers import is_hidden_matrix, learning_rate

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=1
)


@pytest.fixture(scope="module")
def tokenizer():
    return mini_tokenizer()


def test_muon_gets_the_matrices_inside_the_layers_alone(tokenizer):
    names = {name for name, p in build_model(SHAPE, tokenizer, 0).named_parameters() if p.ndim == 2}
    others = {name for name in names if not is_hidden_matrix(name)}
    assert others == {
        "lm_head.weight",
        "model.text_model.embed_tokens.weight",
        "model.vision_model.embeddings.position_embedding.weight",
    }


def test_the_learning_rate_rises_linearly_and_falls_along_a_cosine_to_its_floor():
    recipe = SimpleNamespace(warmup=4, steps=24)
    assert [learning_rate(step, recipe) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert learning_rate(14, recipe) == pytest.approx(0.525), "halfway between 1 and 0.05"
    assert learning_rate(24, recipe) == learning_rate(30, recipe) == pytest.approx(0.05)
