"""The smallest weights: 4 bits in blocks. Quantized and kept is what int8 quantizes and keeps (`rows.py`).

The head, whose errors go straight into the logits, has 8 bits.
"""

import logging

import onnx

PRODUCTS = ("MatMul", "Gemm")
BLOCKS = (32, 16)
"""Weights that share a scale, by preference: 32 divides every width of the SmolVLM family; ORT's least is 16."""

SYMMETRIC = False
HEAD = "lm_head.weight"


def q4_graph(graph: onnx.ModelProto) -> onnx.ModelProto:
    """MatMulNBits: 4-bit weights with a scale for each block of a column; the arithmetic is int8 (`accuracy_level` 4).

    Raises ValueError for a model whose widths no block size divides.
    """
    block, quantizer = _block_size(graph), _nbits_quantizer()
    made = onnx.ModelProto()
    made.CopyFrom(graph)
    heads = [node.name for node in made.graph.node if node.op_type in PRODUCTS and node.input[1] == HEAD]
    for bits, options in ((4, {"nodes_to_exclude": heads}), (8, {"nodes_to_include": heads})):
        if bits == 8 and not heads:  # no names would mean all
            continue
        step = quantizer(made, bits=bits, block_size=block, is_symmetric=SYMMETRIC, accuracy_level=4, **options)
        step.process()
        made = step.model.model
    return _checked(made, "q4")


def _block_size(graph: onnx.ModelProto) -> int:
    weights = {weight.name: weight.dims[0] for weight in graph.graph.initializer}
    products = [node.input[1] for node in graph.graph.node if node.op_type in PRODUCTS]
    widths = {name: weights[name] for name in products if name in weights}
    for block in BLOCKS:
        if not any(width % block for width in widths.values()):
            return block
    name, width = next((name, width) for name, width in widths.items() if width % BLOCKS[-1])
    raise ValueError(
        f"{name} has {width} rows, no multiple of {BLOCKS[-1]}: it cannot be quantized in blocks; "
        "leave q4 out of --precision"
    )


def _nbits_quantizer() -> type:
    """The class; its module, when it is imported, makes the root logger write what every library has to say."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    root.setLevel(level)
    root.handlers[:] = handlers
    return MatMulNBitsQuantizer


def _checked(graph: onnx.ModelProto, precision: str) -> onnx.ModelProto:
    constant = {weight.name for weight in graph.graph.initializer}
    left = [n.input[1] for n in graph.graph.node if n.op_type in PRODUCTS and n.input[1] in constant]
    if left:
        raise ValueError(f"{', '.join(left[:3])} stayed float32 in the {precision} graph; leave it out of --precision")
    return graph
