"""Rewrites an ONNX graph into another one with the same inputs and outputs, and the nodes that quantize values."""

import numpy as np
import onnx

from cropvlm_trainer.export.graphs.nodes import Nodes

MIN_LARGEST = 1e-12
"""Stands in for the largest of values that are all 0: values are divided by it."""


class Rewrite(Nodes):
    """A copy of `graph` with its constants and none of its nodes: `keep` and `op` add those that the copy is to have.

    The separator is another than `Graph`'s, so that names made up here are not those of the graph's own values.
    """

    separator = "."
    standard_domain = None

    def __init__(self, graph: onnx.ModelProto) -> None:
        super().__init__()
        self.constants = {tensor.name: tensor for tensor in graph.graph.initializer}
        self._graph = graph

    def keep(self, node: onnx.NodeProto) -> None:
        """Adds a node of the graph as it is."""
        self.nodes.append(node)

    def replace(self, output: str, kind: str, *inputs: str, **options) -> str:
        """Adds a node of another kind in place of one that gave the value `output`."""
        return self.op(kind, *inputs, outputs=[output], name=output, **options)

    def split(self, value: str, parts: int, axis: int) -> list[str]:
        """Splits a value into equal parts along an axis."""
        outputs = [f"{value}.{i}" for i in range(parts)]
        self.op("Split", value, outputs=outputs, name=f"{value}.split", axis=axis, num_outputs=parts)
        return outputs

    def largest_magnitude(self, x: str, axis: int) -> str:
        """The largest absolute value along an axis, which stays with length 1; at least MIN_LARGEST."""
        largest = self.op("ReduceMax", self.op("Abs", x), self.ints(axis), keepdims=1)
        return self.op("Max", largest, self.float(MIN_LARGEST))

    def quantized(self, x: str, largest: str, steps: int, zero: np.generic) -> str:
        """`round(x / largest * steps) + zero`, in zero's type: `steps` values stand for 0 to `largest`.

        `x` is scaled before QuantizeLinear, though that takes scales too. Its scales can differ along one axis only,
        and with a scale for each row its kernel would call the thread pool for each row.
        """
        units = self.op("Mul", x, self.op("Reciprocal", largest))
        return self.op("QuantizeLinear", units, self.float(1 / steps), self.zero_point(zero))

    def zero_point(self, zero: np.generic) -> str:
        """A constant without dimensions, of the type that quantized values are to have."""
        return self.constant(f"{zero.dtype}.{zero}", zero)

    def build(self) -> onnx.ModelProto:
        rewritten = onnx.ModelProto()
        rewritten.CopyFrom(self._graph)
        del rewritten.graph.node[:], rewritten.graph.initializer[:]
        rewritten.graph.node.extend(self.nodes)
        rewritten.graph.initializer.extend(self.constants.values())
        return rewritten
