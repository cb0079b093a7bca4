"""`embed_tokens`: `input_ids` i64 [B, L] -> `inputs_embeds` f32 [B, L, D]."""

import onnx
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.export.graphs.graph import Graph


def embed_graph(model: Idefics3ForConditionalGeneration) -> onnx.ModelProto:
    """The graph in fp32."""
    graph = Graph("embed_tokens")
    weight = model.get_input_embeddings().weight
    ids = graph.input("input_ids", "int64", ["batch", "length"])
    graph.op("Gather", graph.weight("embed_tokens.weight", weight), ids, outputs=["inputs_embeds"])
    graph.output("inputs_embeds", "float", ["batch", "length", weight.shape[1]])
    return graph.build()
