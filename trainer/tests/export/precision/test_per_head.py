"""int8 attention: close to the fused one, and the same bits whatever other tiles are in the run."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from cropvlm_trainer.export.graphs.graph import Graph
from cropvlm_trainer.export.graphs.nodes import MICROSOFT
from cropvlm_trainer.export.graphs.vision import POSITIONS
from cropvlm_trainer.export.precision.int8 import MIN_HEAD_WIDTH, MIN_PATCHES, int8_graph
from cropvlm_trainer.export.precision.per_head import quantize_per_head

HEADS, WIDTH = 3, 48
GENERATOR = np.random.default_rng(0)


def attention(mask: str = "", width: int = WIDTH) -> onnx.ModelProto:
    graph = Graph("g")
    inputs = [graph.input(name, "float", ["tiles", "patches", width]) for name in "qkv"]
    if mask:
        graph.input(mask, "float", ["tiles", 1, "patches", "patches"])
    y = graph.op("MultiHeadAttention", *inputs, "", "", mask, domain=MICROSOFT, num_heads=HEADS)
    graph.op("MatMul", y, graph.weight("out", torch.eye(width)), outputs=["y"])
    graph.output("y", "float", ["tiles", "patches", width])
    return graph.build()


def run(graph: onnx.ModelProto, q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    return ort.InferenceSession(graph.SerializeToString()).run(None, {"q": q, "k": k, "v": v})[0]


def normal(*shape: int) -> np.ndarray:
    return GENERATOR.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("sharpness", [0.1, 1, 3])
def test_flat_and_sharp_attention_is_near_the_fused(sharpness: float) -> None:
    q, k, v = sharpness * normal(2, 64, WIDTH), normal(2, 64, WIDTH), normal(2, 64, WIDTH)
    q[1] /= 3
    k[:, 5] = 0
    v[:, :, 7] *= 100
    v[0, :, 9] = 0
    exact, found = run(attention(), q, k, v), run(quantize_per_head(attention()), q, k, v)
    spread = np.abs(v).max(axis=1, keepdims=True)
    assert (np.abs(found - exact) <= 0.05 * spread).all()
    assert np.abs(found - exact).mean() < 0.005 * spread.mean()
    assert not found[0, :, 9].any()


def test_a_tile_is_the_same_beside_any_others() -> None:
    graph = quantize_per_head(attention())
    q, k, v = (normal(3, 64, WIDTH) * np.array([1, 50, 0.01], dtype=np.float32)[:, None, None] for _ in range(3))
    together = run(graph, q, k, v)
    for i in range(3):
        np.testing.assert_array_equal(run(graph, q[i : i + 1], k[i : i + 1], v[i : i + 1])[0], together[i])


def test_both_products_are_int8_and_a_masked_attention_stays() -> None:
    kinds = [node.op_type for node in quantize_per_head(attention()).graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 2 * HEADS and "MultiHeadAttention" not in kinds
    assert quantize_per_head(attention("mask")) == attention("mask")


@pytest.mark.parametrize("patches, head_width", [(MIN_PATCHES, MIN_HEAD_WIDTH), (MIN_PATCHES - 1, 64), (1024, 32)])
def test_attention_is_int8_only_where_it_pays(patches: int, head_width: int) -> None:
    graph = attention(width=HEADS * head_width)
    positions = np.zeros((patches, HEADS * head_width), np.float32)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(positions, POSITIONS))
    kinds = [node.op_type for node in int8_graph(graph).graph.node]
    pays = (patches, head_width) == (MIN_PATCHES, MIN_HEAD_WIDTH)
    assert ("MultiHeadAttention" not in kinds) == pays


def test_a_graph_without_attention_has_none_to_quantize() -> None:
    graph = Graph("g")
    x = graph.input("x", "float", ["tiles", "patches", WIDTH])
    graph.op("MatMul", x, graph.weight(POSITIONS, torch.zeros(WIDTH, 1024)), outputs=["y"])
    graph.output("y", "float", ["tiles", "patches", 1024])
    assert "MultiHeadAttention" not in [node.op_type for node in int8_graph(graph.build()).graph.node]
