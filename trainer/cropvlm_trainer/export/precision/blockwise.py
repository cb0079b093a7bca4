"""Weights with a scale for each block of a column (onnxruntime's MatMulNBits), and q4, which is made of them alone.

Activations become int8 with a scale for each block of each row (`accuracy_level` 4). Inputs and outputs stay float32,
and so do norms, patch embedding, tables, the attention's own products and the KV cache.
"""

import logging
from collections.abc import Collection, Mapping, Sequence

import onnx

PRODUCTS = ("MatMul", "Gemm")
HEAD = "lm_head.weight"
Q4_BLOCKS = (32, 16)
"""How many weights share a scale, by preference. 32 divides every width of the SmolVLM family; 16 is the smallest that
onnxruntime takes."""


def q4_graph(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the graph with 4-bit weights; the head has 8 bits, as its errors go straight into the logits.

    Raises ValueError for a model whose widths no block size divides.
    """
    rows = product_weights(graph)
    block = block_size(rows, Q4_BLOCKS, "q4")
    quantized = quantize_blockwise(graph, 4, block, [name for name in rows if name != HEAD])
    return quantize_blockwise(quantized, 8, block, [HEAD]) if HEAD in rows else quantized


def product_weights(graph: onnx.ModelProto) -> dict[str, int]:
    """The constant float weights of matrix products by name, and the number of rows of each."""
    weights = {weight.name: weight for weight in graph.graph.initializer}
    names = [node.input[1] for node in graph.graph.node if node.op_type in PRODUCTS]
    return {name: weights[name].dims[0] for name in names if name in weights}


def block_size(rows: Mapping[str, int], sizes: Sequence[int], precision: str) -> int:
    """The first of `sizes` that divides the rows of every weight; raises ValueError where none does."""
    for size in sizes:
        if not any(count % size for count in rows.values()):
            return size
    name, count = next((name, count) for name, count in rows.items() if count % sizes[-1])
    raise ValueError(
        f"{name} has {count} rows, no multiple of {sizes[-1]}: it cannot be quantized in blocks; "
        f"leave {precision} out of --precision"
    )


def quantize_blockwise(
    graph: onnx.ModelProto, bits: int, block: int, names: Collection[str], symmetric: bool = False
) -> onnx.ModelProto:
    """A copy of the graph in which the products with the weights `names` are MatMulNBits.

    `block`: how many weights share a scale. `symmetric`: the blocks have no zero points.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    others = [node.name for node in copy.graph.node if node.op_type in PRODUCTS and node.input[1] not in names]
    options = {"block_size": block, "is_symmetric": symmetric, "nodes_to_exclude": others}
    quantizer = _nbits_quantizer()(copy, bits=bits, accuracy_level=4, **options)
    quantizer.process()
    return quantizer.model.model


def _nbits_quantizer() -> type:
    """onnxruntime's class. Its module configures the root logger when it is imported (onnxruntime 1.30), so that every
    library's messages would be printed; the logger is put back."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    root.setLevel(level)
    root.handlers[:] = handlers
    return MatMulNBitsQuantizer
