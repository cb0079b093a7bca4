"""Builds an ONNX graph from nothing: inputs, outputs, weights from torch, and the versions that all graphs have."""

from collections.abc import Sequence

import onnx
import torch
from onnx import TensorProto, helper

from cropvlm_trainer.export.graphs.nodes import MICROSOFT, Nodes

OPSET = 20  # the first with Gelu
IR_VERSION = 10  # understood by every onnxruntime since 1.18

TYPES = {
    "float": TensorProto.FLOAT,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "uint8": TensorProto.UINT8,
    "bool": TensorProto.BOOL,
}
Dimensions = Sequence[int | str]
"""A dimension that may have any length is a name."""


class Graph(Nodes):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: str, shape: Dimensions) -> str:
        """Declares an input of the graph; `kind` is a key of TYPES."""
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))
        return name

    def output(self, name: str, kind: str, shape: Dimensions) -> None:
        """Declares a value as an output of the graph; `kind` is a key of TYPES."""
        self._outputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))

    def weight(self, name: str, tensor: torch.Tensor) -> str:
        """A weight in float32."""
        return self.constant(name, tensor.detach().cpu().float().contiguous().numpy())

    def linear(self, x: str, name: str, weight: torch.Tensor, bias: torch.Tensor | None = None) -> str:
        """`x @ weight.T + bias`, with the weight in torch's layout `[out, in]`."""
        y = self.op("MatMul", x, self.weight(f"{name}.weight", weight.t()))
        return y if bias is None else self.op("Add", y, self.weight(f"{name}.bias", bias))

    def dimension(self, x: str, axis: int) -> str:
        """The length of a value along an axis, int64 without dimensions."""
        return self.op("Squeeze", self.op("Shape", x, start=axis, end=axis + 1))

    def int_scalar(self, value: int) -> str:
        """A constant int64 without dimensions."""
        return self.op("Squeeze", self.ints(value))

    def build(self) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, self.name, self._inputs, self._outputs, list(self.constants.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="cropvlm-train")
