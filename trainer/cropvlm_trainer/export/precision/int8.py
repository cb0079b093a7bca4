"""int8 for the CPU: int8 weights and int8 arithmetic, and answers that depend on nothing but their own tokens.

By rows (`per_row.py`) all products with constant weights but two; in blocks of 64 (`blockwise.py`) the MLP's way down,
whose input has the outliers (without that the logits' error is 1.3 times as large), and the head, which sees one token
a run.
The vision encoder's attention is int8 too, head by head (`per_head.py`), where a tile has so many patches that it pays.

Why not onnxruntime's dynamic quantization: one scale serves a whole run, so that an answer depends on what else is in
the batch, and boxes move more (mean IoU with fp32 0.968 against 0.987). Why not 8-bit blocks everywhere: as exact, but
1.8 times as slow on tiles and 1.7 times on prompts. trainer/README.md, "Precisions", has the figures.
"""

import onnx

from cropvlm_trainer.export.graphs.vision import POSITIONS
from cropvlm_trainer.export.precision.blockwise import HEAD, block_size, in_blocks, products
from cropvlm_trainer.export.precision.per_head import in_heads
from cropvlm_trainer.export.precision.per_row import in_rows

BLOCKED = (".down_proj.weight", HEAD)
LEAST_PATCHES = 512
"""int8 attention takes 0.8 of the fused one's time at 1,024 patches, 0.9 at 576, 1.8 at 256 (`bench/attention.py`)."""

BLOCKS = (64, 32, 16)
"""Weights that share a scale, by preference: larger blocks are faster, and agree as well."""


def int8_graph(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy. Raises ValueError for a model whose widths no block size divides."""
    blocked = {name: rows for name, rows in products(graph).items() if name.endswith(BLOCKED)}
    patches = next((weight.dims[0] for weight in graph.graph.initializer if weight.name == POSITIONS), 0)
    made = in_rows(in_heads(graph) if patches >= LEAST_PATCHES else graph, leave_out=blocked)
    if blocked:
        made = in_blocks(made, 8, block_size(blocked, BLOCKS, "int8"), list(blocked), symmetric=True)
    if left := list(products(made)):
        raise ValueError(f"{', '.join(left[:3])} stayed float32 in the int8 graph; leave it out of --precision")
    return made
