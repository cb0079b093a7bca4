"""Half precision: weights, activations and KV cache in float16, as in the hub's `_fp16` graphs.

`image_features`, `inputs_embeds` and `logits` stay float32, with a Cast inside the graph, so that those who read them
need no other arithmetic. Bytes are normalised in float32 and then cast. What belongs to the KV cache is float16, which
halves it. The engine reads what each graph declares (`src/vlm/onnx/half.ts`).

onnxruntime's CPU provider has no float16 kernel for MatMul: it computes in float32 between casts, so that fp16 saves
space on disk alone there. The CUDA provider computes in float16. Norms are summed in float32 on both.

By hand and not by onnxruntime's own converter (`onnxruntime.transformers.float16`, tried at 1.30): it casts to float16
and back between the nodes that are to stay float32, which makes the features' error 1.3 times as large, and it clips a
weight beyond float16's range where this refuses it.
"""

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from cropvlm_trainer.export.graphs.pixels import EXACT, NORMALISED
from cropvlm_trainer.export.precision.rewrite import Rewrite

CACHE = ("past_key_values.", "cache_update")
"""How the names of the KV cache's inputs and outputs begin."""


def fp16_graph(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the graph in float16; raises ValueError for a weight beyond its range (65504).

    For graphs of our layout. Those of the hub's compute norms by plain operators, whose squares leave the range.
    """
    rewrite = Rewrite(graph)
    for name, weight in rewrite.constants.items():
        if weight.data_type == TensorProto.FLOAT and not name.startswith(EXACT):
            rewrite.constants[name] = _fp16_weight(weight)
    inputs, outputs = _float_names(graph.graph.input), _float_names(graph.graph.output)
    # Inside the graph, the float16 form of such an input or output has a name of its own.
    inside = {name: f"{name}.half" for name in [*inputs, *outputs]}
    for name in inputs:
        _cast(rewrite, name, inside[name], f"Cast_{name}", TensorProto.FLOAT16)
    for node in graph.graph.node:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [inside.get(name, name) for name in node.input]
        copy.output[:] = [inside.get(name, name) for name in node.output]
        rewrite.keep(copy)
        if NORMALISED in node.output:
            copy.output[:] = [f"{NORMALISED}.exact"]
            _cast(rewrite, copy.output[0], NORMALISED, f"Cast_{NORMALISED}", TensorProto.FLOAT16)
    for name in outputs:
        _cast(rewrite, inside[name], name, f"Cast_{name}", TensorProto.FLOAT)
    converted = rewrite.build()
    for value in [*converted.graph.input, *converted.graph.output]:
        if value.name.startswith(CACHE):
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    return converted


def _float_names(values) -> list[str]:
    """The names of the graph's inputs or outputs that stay float32."""
    floats = [value.name for value in values if value.type.tensor_type.elem_type == TensorProto.FLOAT]
    return [name for name in floats if not name.startswith(CACHE)]


def _cast(rewrite: Rewrite, value: str, output: str, name: str, to: int) -> None:
    rewrite.op("Cast", value, outputs=[output], name=name, to=to)


def _fp16_weight(weight: onnx.TensorProto) -> onnx.TensorProto:
    values = numpy_helper.to_array(weight)
    largest = np.abs(values).max(initial=0)
    # Not `>`: a NaN is refused too.
    if not largest <= np.finfo(np.float16).max:
        raise ValueError(
            f"weight {weight.name} reaches {largest}, beyond half precision's 65504; "
            "export fp32 alone (--precision fp32)"
        )
    return numpy_helper.from_array(values.astype(np.float16), weight.name)
