"""Signed weights with a scale for each output channel, activations with a scale for each row, that is each token.

`y = (q(x) @ q(W)) * scale(W) * scale(x)`: q(W) is int8 (unsigned weights are half as fast on VNNI), q(x) uint8 about a
fixed zero point. onnxruntime fuses dynamic quantization only where one scale serves all rows, so this is plain nodes.
"""

from collections.abc import Collection

import numpy as np
import onnx
from onnx import helper, numpy_helper

from cropvlm_trainer.export.graph import MICROSOFT

ZERO = 128
"""Zero point of activations: as far down as up."""

GELUS = ("Gelu", "FastGelu", "BiasGelu")
GELU_LEAST = 0.1701
"""Gelu's values reach from just above -0.1701 (either form) upwards: below their zero point they need few steps."""

GELU_ZERO = 16
LARGEST = 127
SMALLEST_SCALE = 1e-12
"""For a row or a channel of nothing but zeros."""


def in_rows(graph: onnx.ModelProto, leave_out: Collection[str] = ()) -> onnx.ModelProto:
    """A copy in which every `MatMul` with a constant weight is quantized, but those whose weight is left out."""
    made = onnx.ModelProto()
    made.CopyFrom(graph)
    rows = _Rows(made)
    for node in graph.graph.node:
        if node.op_type == "MatMul" and node.input[1] in rows.constants and node.input[1] not in leave_out:
            rows.product(node)
        else:
            rows.nodes.append(node)
    kept = [tensor for name, tensor in rows.constants.items() if name not in rows.replaced]
    del made.graph.node[:], made.graph.initializer[:]
    made.graph.node.extend(rows.nodes)
    made.graph.initializer.extend(kept)
    return made


def quantized(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f32 [K, N] -> int8 [K, N] in -127..127, and f32 [N]."""
    scale = np.maximum(np.abs(weight).max(axis=0) / LARGEST, SMALLEST_SCALE).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


class _Rows:
    """The nodes and constants of the new graph; what several products read is quantized once."""

    def __init__(self, graph: onnx.ModelProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants = {tensor.name: tensor for tensor in graph.graph.initializer}
        self.replaced: set[str] = set()
        self._gelus = {node.output[0] for node in graph.graph.node if node.op_type in GELUS}
        self._quantized: dict[str, tuple[str, str, str]] = {}

    def product(self, node: onnx.NodeProto) -> None:
        x, weight = node.input
        values, scales = quantized(numpy_helper.to_array(self.constants[weight]))
        self.replaced.add(weight)
        if x not in self._quantized:
            self._quantized[x] = self._activation(x)
        rows, scale, zero = self._quantized[x]
        # 1 and not the rows' scales: the operator takes one scale for all of its first input.
        inputs = [rows, self._constant(f"{weight}.int8", values)]
        inputs += [self._float(1), self._constant(f"{weight}.scale", scales)]
        inputs += [zero, self._constant("int8.zero", np.int8(0))]
        y = self._op("MatMulIntegerToFloat", inputs, f"{node.output[0]}.rows", domain=MICROSOFT)
        self._op("Mul", [y, scale], node.output[0])

    def _activation(self, x: str) -> tuple[str, str, str]:
        """f32 [..., K] -> uint8 [..., K], its scales f32 [..., 1] and its zero point."""
        high = self._op("ReduceMax", [x, self._constant("axes.last", np.array([-1]))], f"{x}.high", keepdims=1)
        if x in self._gelus:
            zero = GELU_ZERO
            above = self._op("Mul", [high, self._float(1 / (255 - zero))], f"{x}.above")
            scale = self._op("Max", [above, self._float(GELU_LEAST / zero)], f"{x}.scale")
        else:
            zero = ZERO
            low = self._op("ReduceMin", [x, self._constant("axes.last", np.array([-1]))], f"{x}.low", keepdims=1)
            low = self._op("Neg", [low], f"{x}.below")
            largest = self._op("Max", [high, low, self._float(SMALLEST_SCALE)], f"{x}.largest")
            scale = self._op("Mul", [largest, self._float(1 / LARGEST)], f"{x}.scale")
        # QuantizeLinear's own scale cannot differ by row of a tensor of rank 3: it gets 1.
        units = self._op("Div", [x, scale], f"{x}.units")
        point = self._constant(f"uint8.{zero}", np.uint8(zero))
        return self._op("QuantizeLinear", [units, self._float(1), point], f"{x}.uint8"), scale, point

    def _op(self, kind: str, inputs: list[str], output: str, **attributes) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def _float(self, value: float) -> str:
        return self._constant(f"float.{value:g}", np.float32(value))

    def _constant(self, name: str, value: np.ndarray) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name
