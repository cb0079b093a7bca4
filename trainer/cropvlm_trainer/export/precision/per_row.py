"""int8 products with a scale for each output channel of the weight, and for each row (each token) of the activation.

`y = (q(x) @ q(W)) * (scale(W) / steps) * largest(x)`. q(W) is int8, since unsigned weights are half as fast on VNNI.
q(x) is uint8 about a fixed zero point. It is made by plain nodes, since onnxruntime's fused dynamic quantization has
one scale for all rows of a run.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import numpy_helper

from cropvlm_trainer.export.graphs.nodes import MICROSOFT
from cropvlm_trainer.export.precision.rewrite import MIN_LARGEST, Rewrite

ZERO = 128
"""Zero point of activations that are as large below 0 as above."""

GELUS = ("Gelu", "FastGelu", "BiasGelu")
GELU_MIN = 0.1701
"""A Gelu's values (either form) lie above -0.1701. Few of the 256 steps are therefore needed below the zero point."""
GELU_ZERO = 16
"""Zero point of a Gelu's output."""

MAX_INT8 = 127


def quantize_per_row(graph: onnx.ModelProto, leave_out: Collection[str] = ()) -> onnx.ModelProto:
    """A copy of the graph in which each `MatMul` with a constant weight is int8, except for the weights `leave_out`."""
    rewrite = _PerRow(graph)
    for node in graph.graph.node:
        if node.op_type == "MatMul" and node.input[1] in rewrite.constants and node.input[1] not in leave_out:
            rewrite.product(node)
        else:
            rewrite.keep(node)
    for name in rewrite.replaced_weights:
        del rewrite.constants[name]
    return rewrite.build()


def quantized_weight(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f32 [K, N] -> int8 [K, N] in -127..127, and the scale of each output channel, f32 [N]."""
    scale = np.maximum(np.abs(weight).max(axis=0) / MAX_INT8, MIN_LARGEST).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


@dataclass(frozen=True)
class _Activation:
    """A quantized activation."""

    values: str
    """uint8 [..., K]"""
    largest: str
    """f32 [..., 1]: the value of each row that is `steps` above the zero point"""
    steps: int
    zero: np.uint8
    """the zero point"""


class _PerRow(Rewrite):
    """Quantizes an activation once, however many products read it."""

    def __init__(self, graph: onnx.ModelProto) -> None:
        super().__init__(graph)
        self.replaced_weights: set[str] = set()
        self._gelu_outputs = {node.output[0] for node in graph.graph.node if node.op_type in GELUS}
        self._activations: dict[str, _Activation] = {}

    def product(self, node: onnx.NodeProto) -> None:
        """Adds the int8 product in place of the MatMul `node`."""
        x, weight = node.input
        values, scales = quantized_weight(numpy_helper.to_array(self.constants[weight]))
        self.replaced_weights.add(weight)
        if x not in self._activations:
            self._activations[x] = self._quantize(x)
        activation = self._activations[x]
        # The scale of the first input is 1: the operator takes one for all rows. Each row's own is multiplied after it.
        inputs = [activation.values, self.constant(f"{weight}.int8", values), self.float(1)]
        inputs += [self.constant(f"{weight}.scale.{activation.steps}", scales / np.float32(activation.steps))]
        inputs += [self.zero_point(activation.zero), self.zero_point(np.int8(0))]
        y = self.replace(f"{node.output[0]}.rows", "MatMulIntegerToFloat", *inputs, domain=MICROSOFT)
        self.replace(node.output[0], "Mul", y, activation.largest)

    def _quantize(self, x: str) -> _Activation:
        """Adds the nodes that quantize the value `x`, f32 [..., K]."""
        self.scope = x
        if x in self._gelu_outputs:
            steps, zero = 255 - GELU_ZERO, GELU_ZERO
            high = self.op("ReduceMax", x, self.ints(-1), keepdims=1)
            # At least so large that GELU_MIN below 0 is within GELU_ZERO steps.
            largest = self.op("Max", high, self.float(GELU_MIN * steps / zero))
        else:
            steps, zero = MAX_INT8, ZERO
            largest = self.largest_magnitude(x, -1)
        return _Activation(self.quantized(x, largest, steps, np.uint8(zero)), largest, steps, np.uint8(zero))
