"""int8 for CPUs: int8 weights and arithmetic. An answer depends on nothing but its own tokens.

Most products with constant weights are quantized per row (`per_row.py`). Two are quantized in blocks (`blockwise.py`):
the MLP's `down_proj`, whose input has outliers (per row, the logits' error is 1.3 times as large), and the head, which
gets one token a run. The vision encoder's attention is quantized per head (`per_head.py`) where a tile has enough
patches, and a head enough channels, for that to be faster.

Why not onnxruntime's dynamic quantization: one scale serves a whole run, so that an answer depends on what else is in
the batch, and boxes move more (mean IoU with fp32 0.968 against 0.987). Why not 8-bit blocks everywhere: they agree as
well, but are 1.8 times as slow on tiles and 1.7 times on prompts. trainer/README.md, "Precisions", has the figures.
"""

import onnx

from cropvlm_trainer.export.graphs.vision import POSITIONS
from cropvlm_trainer.export.precision.blockwise import HEAD, block_size, product_weights, quantize_blockwise
from cropvlm_trainer.export.precision.per_head import quantize_per_head
from cropvlm_trainer.export.precision.per_row import quantize_per_row

BLOCKWISE = (".down_proj.weight", HEAD)
"""How the names of the weights end that are quantized in blocks."""

MIN_PATCHES = 512
"""int8 attention takes 0.8 of the fused one's time at 1,024 patches, 0.9 at 576, 1.8 at 256 (`bench/attention.py`, 12
heads of 64 channels, AMD EPYC; on an Intel Xeon with AMX it takes 1.6 at 1,024)."""

MIN_HEAD_WIDTH = 64
"""Channels of a head. With heads of 32, int8 attention takes 1.8 times the fused one's time on that Xeon, and the boxes
of the receipts' cropper had a mean IoU of 0.978 with fp32's, without it 0.987."""

BLOCKS = (64, 32, 16)
"""How many weights share a scale, by preference: larger blocks are faster and agree as well."""


def int8_graph(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the graph in int8. Raises ValueError for a model whose widths no block size divides."""
    blockwise = {name: rows for name, rows in product_weights(graph).items() if name.endswith(BLOCKWISE)}
    patches = next((weight.dims[0] for weight in graph.graph.initializer if weight.name == POSITIONS), 0)
    quantized = quantize_per_head(graph, MIN_HEAD_WIDTH) if patches >= MIN_PATCHES else graph
    quantized = quantize_per_row(quantized, leave_out=blockwise)
    if blockwise:
        block = block_size(blockwise, BLOCKS, "int8")
        quantized = quantize_blockwise(quantized, 8, block, list(blockwise), symmetric=True)
    if left := list(product_weights(quantized)):
        raise ValueError(f"{', '.join(left[:3])} stayed float32 in the int8 graph; leave it out of --precision")
    return quantized
