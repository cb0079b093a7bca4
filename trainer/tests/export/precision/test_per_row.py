"""int8 by rows: close to the exact product, and the same bits whatever else is in the run."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.export.export import export
from cropvlm_trainer.export.graphs.graph import Graph
from cropvlm_trainer.export.precision.int8 import int8_graph
from cropvlm_trainer.export.precision.per_row import quantize_per_row, quantized_weight
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.golden.settings import SEED
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

GENERATOR = np.random.default_rng(0)
WEIGHT = GENERATOR.standard_normal((96, 40)).astype(np.float32)


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> OnnxModel:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(tiny_model(SEED), TINY, tiny_tokenizer(), folder, {"recipe": "random"})
    out = tmp_path_factory.mktemp("exported") / "out"
    export(folder, out, role="target", model_id="x", precisions=("int8",), parity_prompts=1, parity_pages=0)
    return OnnxModel(out, "_int8")


def one_product(gelu: str = "") -> onnx.ModelProto:
    graph = Graph("g")
    x = graph.input("x", "float", ["batch", "length", 96])
    x = graph.op("Gelu", x, approximate=gelu) if gelu else x
    y = graph.linear(x, "w", torch.from_numpy(WEIGHT.T))
    graph.op("Identity", y, outputs=["y"])
    graph.output("y", "float", ["batch", "length", 40])
    return graph.build()


def run(graph: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    return ort.InferenceSession(graph.SerializeToString()).run(None, {"x": x})[0]


def normal(*shape: int) -> np.ndarray:
    return GENERATOR.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("gelu", ["", "tanh", "none"])
def test_rows_of_any_size_keep_their_own_precision(gelu: str) -> None:
    x = normal(2, 5, 96)
    x[0, 0] *= 1000
    x[1, 4] /= 1000
    x[1, 3] = 0
    exact, found = run(one_product(gelu), x), run(quantize_per_row(one_product(gelu)), x)
    spread = np.maximum(np.abs(exact).max(axis=-1), 1e-9)
    gap = np.abs(found - exact).max(axis=-1) / spread
    # Behind a Gelu a row of small values has the steps that its least possible value asks for.
    assert gap[[0, 0, 0, 1, 1], [0, 1, 4, 0, 2]].max() < 0.02
    assert gelu or gap.max() < 0.02
    assert not found[1, 3].any()


def test_negative_ends_of_a_gelu_are_within_reach() -> None:
    x = np.linspace(-6, 0.5, 96, dtype=np.float32)[None, None]
    for gelu in ("tanh", "none"):
        np.testing.assert_allclose(run(quantize_per_row(one_product(gelu)), x), run(one_product(gelu), x), atol=0.12)


def test_weights() -> None:
    weight = WEIGHT.copy()
    weight[:, 3] = 0
    whole, scale = quantized_weight(weight)
    assert (whole.dtype, scale.shape) == (np.int8, (40,))
    assert (np.abs(whole).max(axis=0)[:3] == 127).all() and not whole[:, 3].any()
    np.testing.assert_array_less(np.abs(whole * scale - weight), scale * 0.501 + np.zeros_like(weight))


def test_what_is_left_out_stays() -> None:
    graph = quantize_per_row(one_product(), leave_out=["w.weight"])
    assert graph == one_product()


def test_gemm_is_refused_rather_than_left_behind() -> None:
    graph = one_product()
    flat = next(node for node in graph.graph.node if node.op_type == "MatMul")
    flat.op_type = "Gemm"
    with pytest.raises(ValueError, match="w.weight stayed float32 in the int8 graph"):
        int8_graph(graph)


def test_a_tile_has_the_same_features_beside_any_others(int8: OnnxModel) -> None:
    tiles = GENERATOR.integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    tiles[1], tiles[2] = 0, tiles[2] // 8
    together = int8.image_features(tiles)
    for i in range(4):
        np.testing.assert_array_equal(int8.image_features(tiles[i : i + 1])[0], together[i])


def test_a_prompt_has_the_same_logits_beside_any_others(int8: OnnxModel) -> None:
    lengths = [17, 5, 29]
    rows = [normal(1, length + 1, 64) * size for length, size in zip(lengths, (1, 30, 0.1), strict=True)]
    batch, mask = np.zeros((3, 29, 64), dtype=np.float32), np.zeros((3, 30), dtype=np.int64)
    for i, length in enumerate(lengths):
        batch[i, :length], mask[i, :length] = rows[i][0, :length], 1
    last = np.array(lengths)[:, None] - 1
    first, cache = int8.decode(batch, mask[:, :29], int8.empty_cache(3), last)
    for i, length in enumerate(lengths):
        mask[i, length] = 1
    second, _ = int8.decode(np.concatenate([row[:, -1:] for row in rows]), mask, cache)
    for i, length in enumerate(lengths):
        ones = np.ones((1, length + 1), dtype=np.int64)
        alone, own = int8.decode(rows[i][:, :-1], ones[:, :-1], int8.empty_cache(), last[i : i + 1])
        np.testing.assert_array_equal(alone[0], first[i])
        np.testing.assert_array_equal(int8.decode(rows[i][:, -1:], ones, own)[0][0], second[i])


def test_a_prompt_behind_its_cached_beginning_has_the_same_logits(int8: OnnxModel) -> None:
    row, ones = normal(1, 29, 64), np.ones((1, 29), dtype=np.int64)
    whole, _ = int8.decode(row, ones, int8.empty_cache(), np.array([[28]]))
    _, cache = int8.decode(row[:, :20], ones[:, :20], int8.empty_cache(), np.array([[19]]))
    np.testing.assert_array_equal(int8.decode(row[:, 20:], ones, cache, np.array([[8]]))[0], whole)
