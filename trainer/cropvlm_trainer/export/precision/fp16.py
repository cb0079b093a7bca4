"""Half precision: weights, activations and KV cache in float16, as the hub's `_fp16` graphs.

`image_features`, `inputs_embeds` and `logits` stay float32, with a Cast inside the graph, so that sampling needs no
other arithmetic; bytes are normalised in float32 and then cast. What is of the cache is float16, which halves it. The
engine reads what each graph declares (`src/vlm/half.ts`).

onnxruntime's CPU provider has no float16 kernel for MatMul: there it computes in float32 between casts, and gains
memory on disk alone; the CUDA provider computes in halves. The norms add up in float32 on both.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cropvlm_trainer.export.graphs.pixels import EXACT, NORMALISED

CACHE = ("past_key_values.", "cache_update")


def half_graph(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in float16; raises ValueError for a weight beyond its range (65504).

    For graphs of our layout: the hub's spells the norms out, and their squares leave the range.
    """
    made = onnx.ModelProto()
    made.CopyFrom(graph)
    for weight in made.graph.initializer:
        if weight.data_type == TensorProto.FLOAT and not weight.name.startswith(EXACT):
            weight.CopyFrom(_half_weight(weight))
    inputs, into = _boundary(made.graph.input, TensorProto.FLOAT16)
    outputs, back = _boundary(made.graph.output, TensorProto.FLOAT)
    renamed = inputs | outputs
    for node in made.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    nodes = [*into, *_halved_behind(made.graph.node, NORMALISED), *back]
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def _half_weight(weight: onnx.TensorProto) -> onnx.TensorProto:
    values = numpy_helper.to_array(weight)
    largest = np.abs(values).max(initial=0)
    # Not `>`: a NaN is refused too.
    if not largest <= np.finfo(np.float16).max:
        raise ValueError(
            f"weight {weight.name} reaches {largest}, beyond half precision's 65504; "
            "export fp32 alone (--precision fp32)"
        )
    return numpy_helper.from_array(values.astype(np.float16), weight.name)


def _halved_behind(nodes: Sequence[onnx.NodeProto], name: str) -> list[onnx.NodeProto]:
    """The nodes, with a Cast behind the one that gives the value `name`, if one does."""
    found = []
    for node in nodes:
        found.append(node)
        if name in node.output:
            node.output[:] = [f"{name}.exact"]
            found.append(helper.make_node("Cast", [f"{name}.exact"], [name], f"Cast_{name}", to=TensorProto.FLOAT16))
    return found


def _boundary(values, to: int) -> tuple[dict[str, str], list[onnx.NodeProto]]:
    """Declares the cache float16; for the other float32 values: their names inside the graph, and the casts."""
    renamed, casts = {}, []
    for value in values:
        kind = value.type.tensor_type
        if kind.elem_type != TensorProto.FLOAT:
            continue
        if value.name.startswith(CACHE):
            kind.elem_type = TensorProto.FLOAT16
            continue
        inner = renamed[value.name] = f"{value.name}.half"
        ends = (value.name, inner) if to == TensorProto.FLOAT16 else (inner, value.name)
        casts.append(helper.make_node("Cast", [ends[0]], [ends[1]], f"Cast_{value.name}", to=to))
    return renamed, casts
