"""A small builder of ONNX graphs: named weights, operators, and one place for versions."""

from collections.abc import Sequence

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 20  # the first with Gelu
IR_VERSION = 10  # understood by every onnxruntime since 1.18
MICROSOFT = "com.microsoft"  # onnxruntime's own operators

TYPES = {
    "float": TensorProto.FLOAT,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
    "uint8": TensorProto.UINT8,
    "bool": TensorProto.BOOL,
}
Dimensions = Sequence[int | str]


class Graph:
    """Collects nodes and weights; values are referred to by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: str, shape: Dimensions) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))
        return name

    def output(self, name: str, kind: str, shape: Dimensions) -> None:
        self._outputs.append(helper.make_tensor_value_info(name, TYPES[kind], shape))

    def weight(self, name: str, tensor: torch.Tensor) -> str:
        """A weight in fp32 (whole numbers stay int64)."""
        tensor = tensor.detach().cpu()
        array = (tensor.float() if tensor.is_floating_point() else tensor).contiguous().numpy()
        return self._initializer(name, array)

    def ints(self, *values: int) -> str:
        """A one-dimensional int64 constant, shared by all who ask for the same."""
        return self._initializer("ints_" + "_".join(str(v) for v in values), np.array(values, dtype=np.int64))

    def scalar(self, value: float) -> str:
        return self._initializer(f"float_{value}", np.array(value, dtype=np.float32))

    def op(self, kind: str, *inputs: str, outputs: Sequence[str] | None = None, domain: str = "", **attributes) -> str:
        """Adds an operator; gives the name of its first output, made up where `outputs` names none."""
        name = f"{kind}_{len(self._nodes)}"
        outputs = outputs or [name]
        given = list(inputs)
        while given and not given[-1]:  # optional inputs that are left out at the end
            given.pop()
        self._nodes.append(helper.make_node(kind, given, list(outputs), name, domain=domain, **attributes))
        return outputs[0]

    def linear(self, x: str, name: str, weight: torch.Tensor, bias: torch.Tensor | None = None) -> str:
        """`x @ weight.T + bias`, weight in torch's layout `[out, in]`."""
        y = self.op("MatMul", x, self.weight(f"{name}.weight", weight.t()))
        return y if bias is None else self.op("Add", y, self.weight(f"{name}.bias", bias))

    def build(self) -> onnx.ModelProto:
        graph = helper.make_graph(self._nodes, self.name, self._inputs, self._outputs, list(self._weights.values()))
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="cropvlm-train")

    def _initializer(self, name: str, array: np.ndarray) -> str:
        if name not in self._weights:
            self._weights[name] = numpy_helper.from_array(array, name)
        return name
