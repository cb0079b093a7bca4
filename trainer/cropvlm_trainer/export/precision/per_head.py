"""The vision encoder's attention in int8, one head after the other, with scales that are computed as it runs.

For each tile and head there is one scale for q, one for each key, one for each channel of v, and for the probabilities,
which are 0 or more, one for each query. No scale reaches beyond its tile, so a tile's features do not depend on what
else is in the run.

onnxruntime's fused attention is float32 on a CPU. This one is faster where there are many patches
(`bench/attention.py`): its products are int8, and the scores of one head (4 MB for 1,024 patches) are still in the
processor's cache when the next operator reads them, while those of all heads together (50 MB) would come from memory.
"""

import numpy as np
import onnx

from cropvlm_trainer.export.graphs.nodes import MICROSOFT
from cropvlm_trainer.export.precision.per_row import MAX_INT8, ZERO
from cropvlm_trainer.export.precision.rewrite import Rewrite

PROBABILITY_STEPS = 255


def quantize_per_head(graph: onnx.ModelProto, min_width: int = 1) -> onnx.ModelProto:
    """A copy of the graph in which attention is int8.

    That is each `MultiHeadAttention` with three inputs (no mask) whose output is multiplied with a constant weight
    and whose heads have `min_width` channels or more.
    """
    rewrite = _PerHead(graph)
    # No node states an attention's width. It is the number of rows of the weight that the output is multiplied with.
    widths = {
        node.input[0]: rewrite.constants[node.input[1]].dims[0]
        for node in graph.graph.node
        if node.op_type == "MatMul" and node.input[1] in rewrite.constants
    }
    for node in graph.graph.node:
        if node.op_type == "MultiHeadAttention" and len(node.input) == 3 and node.output[0] in widths:
            (heads,) = [attribute.i for attribute in node.attribute if attribute.name == "num_heads"]
            width = widths[node.output[0]] // heads
            if width >= min_width:
                rewrite.attention(node, heads, width**-0.5)
                continue
        rewrite.keep(node)
    return rewrite.build()


class _PerHead(Rewrite):
    """In the shapes: B tiles, P patches, H heads of D channels each."""

    def attention(self, node: onnx.NodeProto, heads: int, scale: float) -> None:
        """Adds int8 attention in place of `node`. q, k, v and the output are f32 [B, P, H * D].

        `scale`: what the scores are multiplied by before the softmax.
        """
        q, k, v = node.input
        self.scope = node.output[0]
        by_head, whole, transposed = self.ints(0, 0, heads, -1), self.ints(0, 0, -1), [0, 2, 1]
        q, k = (self.op("Reshape", value, by_head) for value in (q, k))
        q_largest = self.op("ReduceMax", self.largest_magnitude(q, 3), self.ints(1), keepdims=1)  # [B, 1, H, 1]
        k_largest, v_largest = self.largest_magnitude(k, 3), self.largest_magnitude(v, 1)  # [B, P, H, 1], [B, 1, H * D]
        q = self.op("Reshape", self.quantized(q, q_largest, MAX_INT8, np.uint8(ZERO)), whole)
        k = self.op("Reshape", self.quantized(k, k_largest, MAX_INT8, np.int8(0)), whole)
        v = self.quantized(v, v_largest, MAX_INT8, np.int8(0))
        # The scales of q and k, and the attention's own, in one factor for each key.
        factors = self.op("Mul", self.op("Mul", q_largest, k_largest), self.float(scale / MAX_INT8**2))
        score_factors = self.op("Transpose", self.op("Reshape", factors, whole), perm=transposed)  # [B, H, P]
        value_factors = self.op("Mul", v_largest, self.float(1 / MAX_INT8))
        parts = (
            self.split(q, heads, axis=2),
            self.split(self.op("Transpose", k, perm=transposed), heads, axis=1),
            self.split(score_factors, heads, axis=1),
            self.split(v, heads, axis=2),
            self.split(value_factors, heads, axis=2),
        )
        attended = [self._head(*part) for part in zip(*parts, strict=True)]
        self.replace(node.output[0], "Concat", *attended, axis=2)

    def _head(self, q: str, k: str, score_factors: str, v: str, value_factors: str) -> str:
        """One head's output, f32 [B, P, D].

        q uint8 [B, P, D], k int8 [B, D, P], v int8 [B, P, D]; what their products are multiplied by: f32 [B, 1, P] and
        [B, 1, D].
        """
        one, q_zero, zero = self.float(1), self.zero_point(np.uint8(ZERO)), self.zero_point(np.int8(0))
        scores = self.op("MatMulIntegerToFloat", q, k, one, score_factors, q_zero, zero, domain=MICROSOFT)
        probabilities = self.op("Softmax", scores, axis=-1)
        largest = self.op("ReduceMax", probabilities, self.ints(-1), keepdims=1)  # [B, P, 1]
        quantized = self.quantized(probabilities, largest, PROBABILITY_STEPS, np.uint8(0))
        step = self.float(1 / PROBABILITY_STEPS)
        values = self.op("MatMulIntegerToFloat", quantized, v, step, value_factors, domain=MICROSOFT)
        return self.op("Mul", values, largest)
