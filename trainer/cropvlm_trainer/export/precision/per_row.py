"""Signed weights with a scale for each output channel, activations with a scale for each row, that is each token.

`y = (q(x) @ q(W)) * (scale(W) / steps) * largest(x)`: q(W) is int8 (unsigned weights are half as fast on VNNI), q(x)
uint8 about a fixed zero point. onnxruntime fuses dynamic quantization only where one scale serves all rows, so this is
plain nodes.
"""

from collections.abc import Collection

import numpy as np
import onnx
from onnx import numpy_helper

from cropvlm_trainer.export.graphs.graph import MICROSOFT
from cropvlm_trainer.export.precision.rewrite import SMALLEST, Rewrite

ZERO = 128
"""Zero point of activations: as far down as up."""

GELUS = ("Gelu", "FastGelu", "BiasGelu")
GELU_LEAST = 0.1701
"""Gelu's values reach from just above -0.1701 (either form) upwards: below their zero point they need few steps."""

GELU_ZERO = 16
LARGEST = 127


def in_rows(graph: onnx.ModelProto, leave_out: Collection[str] = ()) -> onnx.ModelProto:
    """A copy in which every `MatMul` with a constant weight is quantized, but those whose weight is left out."""
    rows = _Rows(graph)
    for node in graph.graph.node:
        if node.op_type == "MatMul" and node.input[1] in rows.constants and node.input[1] not in leave_out:
            rows.product(node)
        else:
            rows.keep(node)
    for name in rows.replaced:
        del rows.constants[name]
    return rows.build()


def quantized_weight(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f32 [K, N] -> int8 [K, N] in -127..127, and f32 [N]."""
    scale = np.maximum(np.abs(weight).max(axis=0) / LARGEST, SMALLEST).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


class _Rows(Rewrite):
    """What several products read is quantized once."""

    def __init__(self, graph: onnx.ModelProto) -> None:
        super().__init__(graph)
        self.replaced: set[str] = set()
        self._gelus = {node.output[0] for node in graph.graph.node if node.op_type in GELUS}
        self._activations: dict[str, tuple[str, str, int, np.uint8]] = {}

    def product(self, node: onnx.NodeProto) -> None:
        x, weight = node.input
        values, scales = quantized_weight(numpy_helper.to_array(self.constants[weight]))
        self.replaced.add(weight)
        if x not in self._activations:
            self._activations[x] = self._activation(x)
        rows, largest, steps, zero = self._activations[x]
        # 1 and not the rows' own: the operator takes one scale for all of its first input.
        inputs = [rows, self.constant(f"{weight}.int8", values)]
        inputs += [self.float(1), self.constant(f"{weight}.scale.{steps}", scales / np.float32(steps))]
        inputs += [self.zero_point(zero), self.zero_point(np.int8(0))]
        y = self.op("MatMulIntegerToFloat", *inputs, output=f"{node.output[0]}.rows", domain=MICROSOFT)
        self.op("Mul", y, largest, output=node.output[0])

    def _activation(self, x: str) -> tuple[str, str, int, np.uint8]:
        """f32 [..., K] -> uint8 [..., K], the values f32 [..., 1] `steps` above its zero point, `steps` and that."""
        self.scope = x
        if x in self._gelus:
            steps, zero = 255 - GELU_ZERO, GELU_ZERO
            high = self.op("ReduceMax", x, self.ints(-1), keepdims=1)
            largest = self.op("Max", high, self.float(GELU_LEAST * steps / zero))
        else:
            steps, zero = LARGEST, ZERO
            largest = self.largest(x, -1)
        return self.quantized(x, largest, steps, np.uint8(zero)), largest, steps, np.uint8(zero)
