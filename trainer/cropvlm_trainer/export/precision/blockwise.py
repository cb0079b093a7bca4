"""Weights with a scale for each block of a column (MatMulNBits), and the smallest precision, made of them alone.

Activations become int8 with a scale for each block of each row (`accuracy_level` 4). Inputs and outputs stay float32,
and so do norms, patch embedding, tables, the attention's own products and the KV cache.
"""

import logging
from collections.abc import Collection, Mapping, Sequence

import onnx

PRODUCTS = ("MatMul", "Gemm")
HEAD = "lm_head.weight"
Q4_BLOCKS = (32, 16)
"""Weights that share a scale, by preference: 32 divides every width of the SmolVLM family; ORT's least is 16."""


def q4_graph(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy with 4-bit weights; 8 bits in the head, whose errors go straight into the logits.

    Raises ValueError for a model whose widths no block size divides.
    """
    found = products(graph)
    block = block_size(found, Q4_BLOCKS, "q4")
    made = in_blocks(graph, 4, block, [name for name in found if name != HEAD])
    return in_blocks(made, 8, block, [HEAD]) if HEAD in found else made


def products(graph: onnx.ModelProto) -> dict[str, int]:
    """The constant float weights of products, and the rows of each."""
    weights = {weight.name: weight for weight in graph.graph.initializer}
    read = [node.input[1] for node in graph.graph.node if node.op_type in PRODUCTS]
    return {name: weights[name].dims[0] for name in read if name in weights}


def block_size(rows: Mapping[str, int], sizes: Sequence[int], precision: str) -> int:
    """The first of the sizes that divides the rows of every weight; raises ValueError where none does."""
    for size in sizes:
        if not any(count % size for count in rows.values()):
            return size
    name, count = next((name, count) for name, count in rows.items() if count % sizes[-1])
    raise ValueError(
        f"{name} has {count} rows, no multiple of {sizes[-1]}: it cannot be quantized in blocks; "
        f"leave {precision} out of --precision"
    )


def in_blocks(
    graph: onnx.ModelProto, bits: int, block: int, names: Collection[str], symmetric: bool = False
) -> onnx.ModelProto:
    """A copy in which the products with the weights `names` are MatMulNBits."""
    made = onnx.ModelProto()
    made.CopyFrom(graph)
    others = [node.name for node in made.graph.node if node.op_type in PRODUCTS and node.input[1] not in names]
    options = {"block_size": block, "is_symmetric": symmetric, "nodes_to_exclude": others}
    step = _nbits_quantizer()(made, bits=bits, accuracy_level=4, **options)
    step.process()
    return step.model.model


def _nbits_quantizer() -> type:
    """The class; its module, when it is imported, makes the root logger write what every library has to say."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    root.setLevel(level)
    root.handlers[:] = handlers
    return MatMulNBitsQuantizer
