"""The precisions of a model folder, and how each is made from the fp32 graph."""

import onnx

from cropvlm_trainer.export.precision.blockwise import q4_graph
from cropvlm_trainer.export.precision.fp16 import fp16_graph
from cropvlm_trainer.export.precision.int8 import int8_graph

CONVERTERS = {"fp16": fp16_graph, "int8": int8_graph, "q4": q4_graph}


def convert(graph: onnx.ModelProto, name: str, precision: str) -> onnx.ModelProto:
    """The fp32 graph `name` in another precision; in fp32 the graph itself.

    `embed_tokens` holds one table. In every precision below fp32 the table is float16, whose rounding (2^-11) is far
    below int8's.
    """
    if precision == "fp32":
        return graph
    return fp16_graph(graph) if name == "embed_tokens" else CONVERTERS[precision](graph)
