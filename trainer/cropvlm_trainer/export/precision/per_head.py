"""The vision encoder's attention in int8, head by head, with scales that are found as it runs.

Per tile and head q has one scale, k one for each key, v one for each channel, and the probabilities, which are 0 or
more, one for each query. No scale reaches beyond its tile: a tile's features do not depend on what else is in the run.

onnxruntime's fused attention is float32 on a CPU. This is faster where there are many patches (`bench/attention.py`):
its products are int8, and one head's scores, 4 MB for 1,024 patches, are still in the cache for the next operator;
those of all heads, 50 MB, would come from memory each time.
"""

import numpy as np
import onnx

from cropvlm_trainer.export.graphs.graph import MICROSOFT
from cropvlm_trainer.export.precision.per_row import LARGEST, ZERO
from cropvlm_trainer.export.precision.rewrite import Rewrite

PROBABILITY_STEPS = 255


def in_heads(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which every `MultiHeadAttention` of three inputs, with a constant weight behind it, is int8."""
    heads = _Heads(graph)
    # An attention's width, which no node states: the rows of the weight that its output is multiplied with.
    widths = {
        node.input[0]: heads.constants[node.input[1]].dims[0]
        for node in graph.graph.node
        if node.op_type == "MatMul" and node.input[1] in heads.constants
    }
    for node in graph.graph.node:
        if node.op_type == "MultiHeadAttention" and len(node.input) == 3 and node.output[0] in widths:
            (count,) = [one.i for one in node.attribute if one.name == "num_heads"]
            heads.attention(node, count, (widths[node.output[0]] // count) ** -0.5)
        else:
            heads.keep(node)
    return heads.build()


class _Heads(Rewrite):
    """In the shapes: B tiles, P patches, H heads of D channels each."""

    def attention(self, node: onnx.NodeProto, heads: int, scale: float) -> None:
        """q, k, v and the output are [B, P, H * D]."""
        q, k, v = node.input
        self.scope = node.output[0]
        by_head, whole, over = self.ints(0, 0, heads, -1), self.ints(0, 0, -1), [0, 2, 1]
        q, k = (self.op("Reshape", value, by_head) for value in (q, k))
        q_largest = self.op("ReduceMax", self.largest(q, 3), self.ints(1), keepdims=1)  # [B, 1, H, 1]
        k_largest, v_largest = self.largest(k, 3), self.largest(v, 1)  # [B, P, H, 1], [B, 1, H * D]
        q = self.op("Reshape", self.quantized(q, q_largest, LARGEST, np.uint8(ZERO)), whole)
        k = self.op("Reshape", self.quantized(k, k_largest, LARGEST, np.int8(0)), whole)
        v = self.quantized(v, v_largest, LARGEST, np.int8(0))
        # The steps of q and k, and the attention's own scale, in one factor for each key.
        steps = self.op("Mul", self.op("Mul", q_largest, k_largest), self.float(scale / LARGEST**2))
        of_scores = self.op("Transpose", self.op("Reshape", steps, whole), perm=over)  # [B, H, P]
        of_values = self.op("Mul", v_largest, self.float(1 / LARGEST))
        parts = (
            self.split(q, heads, axis=2),
            self.split(self.op("Transpose", k, perm=over), heads, axis=1),
            self.split(of_scores, heads, axis=1),
            self.split(v, heads, axis=2),
            self.split(of_values, heads, axis=2),
        )
        self.op("Concat", *[self._head(*part) for part in zip(*parts, strict=True)], output=node.output[0], axis=2)

    def _head(self, q: str, k: str, of_scores: str, v: str, of_values: str) -> str:
        """q [B, P, D], k [B, D, P], v [B, P, D], and the factors of both products, [B, 1, P] and [B, 1, D]."""
        one, q_zero, zero = self.float(1), self.zero_point(np.uint8(ZERO)), self.zero_point(np.int8(0))
        scores = self.op("MatMulIntegerToFloat", q, k, one, of_scores, q_zero, zero, domain=MICROSOFT)
        shares = self.op("Softmax", scores, axis=-1)
        largest = self.op("ReduceMax", shares, self.ints(-1), keepdims=1)  # [B, P, 1]
        rows = self.quantized(shares, largest, PROBABILITY_STEPS, np.uint8(0))
        values = self.op(
            "MatMulIntegerToFloat", rows, v, self.float(1 / PROBABILITY_STEPS), of_values, domain=MICROSOFT
        )
        return self.op("Mul", values, largest)
