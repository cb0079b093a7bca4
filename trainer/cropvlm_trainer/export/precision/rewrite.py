"""A graph on its way to becoming another: new nodes in order, and the constants that they share."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

SMALLEST = 1e-12
"""In the place of the largest of nothing but zeros: values are divided by it."""


class Rewrite:
    """Collects the nodes of a copy of `graph`; what is not added is gone."""

    def __init__(self, graph: onnx.ModelProto) -> None:
        self.constants = {tensor.name: tensor for tensor in graph.graph.initializer}
        self.scope = ""
        self._graph = graph
        self._nodes: list[onnx.NodeProto] = []

    def keep(self, node: onnx.NodeProto) -> None:
        self._nodes.append(node)

    def op(self, kind: str, *inputs: str, output: str = "", **attributes) -> str:
        """Adds a node of one output; gives the output's name, made up in the current `scope` where none is given."""
        output = output or f"{self.scope}.{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def split(self, value: str, parts: int, axis: int) -> list[str]:
        """Equal parts along an axis."""
        outputs = [f"{value}.{i}" for i in range(parts)]
        self._nodes.append(helper.make_node("Split", [value], outputs, f"{value}.split", axis=axis, num_outputs=parts))
        return outputs

    def largest(self, x: str, axis: int) -> str:
        """By size, along an axis that stays with length 1."""
        largest = self.op("ReduceMax", self.op("Abs", x), self.ints(axis), keepdims=1)
        return self.op("Max", largest, self.float(SMALLEST))

    def quantized(self, x: str, largest: str, steps: int, zero: np.generic) -> str:
        """`round(x / largest * steps) + zero`, in zero's type.

        Not QuantizeLinear's own scales: they can differ along one axis only, and for each row its kernel would ask the
        thread pool again.
        """
        units = self.op("Mul", x, self.op("Reciprocal", largest))
        return self.op("QuantizeLinear", units, self.float(1 / steps), self.zero_point(zero))

    def constant(self, name: str, value: np.ndarray) -> str:
        """Under a name that others may have used for the same value."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def float(self, value: float) -> str:
        return self.constant(f"float.{value!r}", np.float32(value))

    def zero_point(self, zero: np.generic) -> str:
        """Of the type that quantized values are to have."""
        return self.constant(f"{zero.dtype}.{zero}", zero)

    def ints(self, *values: int) -> str:
        return self.constant("ints." + ".".join(map(str, values)), np.array(values, dtype=np.int64))

    def build(self) -> onnx.ModelProto:
        made = onnx.ModelProto()
        made.CopyFrom(self._graph)
        del made.graph.node[:], made.graph.initializer[:]
        made.graph.node.extend(self._nodes)
        made.graph.initializer.extend(self.constants.values())
        return made
