"""The one helper by which ONNX nodes are made, for graphs that are built (`graph.py`) and rewritten (`rewrite.py`).

By hand and not by torch.onnx's exporter: the graphs are made of onnxruntime's fused operators, which the exporter does
not write, and their values have names that the precisions and the service rely on.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

MICROSOFT = "com.microsoft"
"""The domain of onnxruntime's own operators."""


class Nodes:
    """Collects nodes in order, and the constants that they share. Values are referred to by their names."""

    separator = "_"
    """stands between the parts of the names that are made up here"""
    standard_domain: str | None = ""
    """how a node says that its operator is ONNX's own: by an empty domain, or by none (the same, but other bytes)"""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.scope = ""
        """the value that is being worked on; where set, it begins the names that are made up"""

    def op(
        self,
        kind: str,
        *inputs: str,
        outputs: Sequence[str] = (),
        name: str = "",
        domain: str | None = None,
        **attributes,
    ) -> str:
        """Adds a node and returns the name of its first output.

        `inputs`: an empty name stands for an optional input that is left out. `name`: of the node, made up where it is
        empty. `outputs`: where there are none, the node has one, with the node's name.
        """
        if not name:
            name = f"{self.scope}{self.separator}" * bool(self.scope) + f"{kind}_{len(self.nodes)}"
        given = list(inputs)
        while given and not given[-1]:  # optional inputs that are left out at the end
            given.pop()
        outputs = list(outputs) or [name]
        domain = domain or self.standard_domain
        self.nodes.append(helper.make_node(kind, given, outputs, name, domain=domain, **attributes))
        return outputs[0]

    def constant(self, name: str, value: np.ndarray) -> str:
        """Adds a constant, unless there is one of that name already: the same name stands for the same value."""
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def ints(self, *values: int) -> str:
        """A constant int64 `[len(values)]`."""
        return self.constant(self.separator.join(["ints", *map(str, values)]), np.array(values, dtype=np.int64))

    def float(self, value: float) -> str:
        """A constant f32 without dimensions."""
        return self.constant(f"float{self.separator}{value!r}", np.array(value, dtype=np.float32))
