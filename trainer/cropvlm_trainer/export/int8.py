"""int8 for the CPU: int8 weights and int8 arithmetic, and answers that depend on nothing but their own tokens.

By rows (`rows.py`) all products with constant weights but two; in blocks of 64 (`blocks.py`) the MLP's way down, whose
input has the outliers, and the head, which sees one token a run. On the bundled models and 500 pages this gives a mean
box IoU with fp32 of 0.989, and the same bits whatever else is in the batch. onnxruntime's dynamic quantization gives
0.960, in no less time, and a tile's features change by a fifth with its neighbours: one scale serves a whole run.
8-bit blocks everywhere agree as well, and are twice as slow on prompts and three times on tiles.
trainer/README.md, "Precisions", has the figures.
"""

import onnx

from cropvlm_trainer.export.blocks import HEAD, block_size, in_blocks, products
from cropvlm_trainer.export.rows import in_rows

BLOCKED = (".down_proj.weight", HEAD)
BLOCKS = (64, 32, 16)
"""Weights that share a scale, by preference: larger blocks are faster, and agree as well."""


def int8_graph(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy. Raises ValueError for a model whose widths no block size divides."""
    blocked = {name: rows for name, rows in products(graph).items() if name.endswith(BLOCKED)}
    made = in_rows(graph, leave_out=blocked)
    if blocked:
        made = in_blocks(made, 8, block_size(blocked, BLOCKS, "int8"), list(blocked), symmetric=True)
    if left := list(products(made)):
        raise ValueError(f"{', '.join(left[:3])} stayed float32 in the int8 graph; leave it out of --precision")
    return made
