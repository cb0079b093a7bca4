"""The tiny models in test/fixtures are what the code makes today, and both layouts give the same answers."""

import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from support.paths import REPOSITORY
from transformers import AutoProcessor

from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.graphs.decoder import decoder_graph
from cropvlm_trainer.export.graphs.embed import embed_graph
from cropvlm_trainer.export.graphs.hub import hub_decoder_graph, hub_vision_graph
from cropvlm_trainer.export.graphs.pixels import read_normalisation
from cropvlm_trainer.export.graphs.vision import vision_graph
from cropvlm_trainer.golden.fixture import ATTENTION_LAYERS, tiny_model, tiny_tokenizer
from cropvlm_trainer.golden.settings import SEED

MODELS = REPOSITORY / "test" / "fixtures" / "models"
MAKERS = {
    "tiny/onnx/vision_encoder.onnx": lambda model: vision_graph(model, read_normalisation(MODELS / "tiny")),
    "tiny/onnx/embed_tokens.onnx": embed_graph,
    "tiny/onnx/decoder_model_merged.onnx": decoder_graph,
    "tiny-attention/onnx/decoder_model_merged.onnx": lambda model: decoder_graph(model, ATTENTION_LAYERS),
    "tiny-hub/onnx/vision_encoder.onnx": hub_vision_graph,
    "tiny-hub/onnx/embed_tokens.onnx": embed_graph,
    "tiny-hub/onnx/decoder_model_merged.onnx": hub_decoder_graph,
}


@pytest.mark.parametrize("name", MAKERS)
def test_committed_graphs_are_what_the_code_makes(name: str) -> None:
    made, kept = MAKERS[name](tiny_model(SEED)), onnx.load(MODELS / name)
    assert [node.SerializeToString() for node in made.graph.node] == [n.SerializeToString() for n in kept.graph.node]
    assert [v.SerializeToString() for v in made.graph.input] == [v.SerializeToString() for v in kept.graph.input]
    for new, old in zip(made.graph.initializer, kept.graph.initializer, strict=True):
        assert new.name == old.name
        # Sines differ in the last bit between processors; the random weights are the same everywhere.
        np.testing.assert_allclose(numpy_helper.to_array(new), numpy_helper.to_array(old), atol=1e-6)


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second = (decoder_graph(tiny_model(3)).SerializeToString() for _ in range(2))
    assert first == second
    assert first != decoder_graph(tiny_model(4)).SerializeToString()


def test_committed_tokenizer_is_what_the_code_makes() -> None:
    for layout in ("tiny", "tiny-hub"):
        kept = json.loads((MODELS / layout / "tokenizer.json").read_text())
        assert kept == json.loads(tiny_tokenizer().to_str())


def test_both_layouts_generate_the_same() -> None:
    ours, hub = OnnxModel(MODELS / "tiny"), OnnxModel(MODELS / "tiny-hub")
    tokenizer = AutoProcessor.from_pretrained(MODELS / "tiny").tokenizer
    tiles = np.linspace(0, 255, 2 * 3 * 64 * 64).reshape(2, 3, 64, 64).transpose(0, 2, 3, 1).astype(np.uint8)
    image_token = tokenizer.convert_tokens_to_ids("<image>")
    ids = np.array([[1, *[image_token] * 32, *tokenizer("What is this?")["input_ids"]]])
    answers = []
    for model in (ours, hub):
        embeds = model.embeddings(ids, model.image_features(tiles), image_token)
        answers.append(model.generate(embeds, {tokenizer.eos_token_id}, 20))
    assert answers[0][0] == answers[1][0]
    assert len(set(answers[0][0])) > 5
    np.testing.assert_allclose(answers[0][1], answers[1][1], atol=1e-4)
