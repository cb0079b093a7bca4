import pytest

from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.pretrain.command import mini_tokenizer
from cropvlm_trainer.training.optimizers import is_hidden_matrix

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
