"""`vision_encoder`: tiles -> image features, for tiles that are filled with image, as Idefics3's processor makes them.

The patch embedding, position embedding, encoder, post layer norm, pixel shuffle and projection of transformers'
Idefics3. What transformers does for empty and partly filled tiles is left out.

In the shapes: tiles of S x S pixels, P patches and T tokens each, W the vision width, D the text model's width.
"""

import onnx
from torch import nn
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.export.graphs.graph import Graph
from cropvlm_trainer.export.graphs.nodes import MICROSOFT
from cropvlm_trainer.export.graphs.pixels import Normalisation

POSITIONS = "vision.positions"
"""The name of the position embedding, f32 [P, W]."""

GELU = {"gelu_pytorch_tanh": "tanh", "gelu": "none"}


def vision_graph(model: Idefics3ForConditionalGeneration, normalisation: Normalisation) -> onnx.ModelProto:
    """The graph in our layout: `pixel_values` uint8 [tiles, S, S, 3], RGB -> `image_features` f32 [tiles, T, D].

    Raises ValueError for a vision model that it cannot express.
    """
    graph = Graph("vision_encoder")
    size = model.config.vision_config.image_size
    pixels = graph.input("pixel_values", "uint8", ["tiles", size, size, 3])
    vision_body(graph, model, normalisation.add(graph, pixels), key_mask="")
    return graph.build()


def vision_body(graph: Graph, model: Idefics3ForConditionalGeneration, pixels: str, key_mask: str) -> None:
    """Adds all nodes from the normalised `pixels` f32 [tiles, 3, S, S] to the output `image_features`.

    `key_mask` f32 [tiles, 1, P, P]: added to the attention's scores; '' for none.
    Raises ValueError for an activation that it cannot express.
    """
    config, vision = model.config.vision_config, model.model.vision_model
    if config.hidden_act not in GELU:
        raise ValueError(f"vision activation {config.hidden_act!r} cannot be exported; known are {sorted(GELU)}")
    x = _patches(graph, model, pixels)
    for i, layer in enumerate(vision.encoder.layers):
        name = f"vision.{i}"
        h = _layer_norm(graph, x, f"{name}.norm1", layer.layer_norm1)
        x = graph.op("Add", x, _attention(graph, h, name, layer.self_attn, key_mask))
        h = _layer_norm(graph, x, f"{name}.norm2", layer.layer_norm2)
        h = graph.linear(h, f"{name}.fc1", layer.mlp.fc1.weight, layer.mlp.fc1.bias)
        h = graph.op("Gelu", h, approximate=GELU[config.hidden_act])
        x = graph.op("Add", x, graph.linear(h, f"{name}.fc2", layer.mlp.fc2.weight, layer.mlp.fc2.bias))
    x = _layer_norm(graph, x, "vision.post_norm", vision.post_layernorm)
    _connector(graph, model, x)


def _patches(graph: Graph, model: Idefics3ForConditionalGeneration, pixels: str) -> str:
    """Patch and position embeddings of the pixels, f32 [tiles, P, W]."""
    embeddings, width = model.model.vision_model.embeddings, model.config.vision_config.hidden_size
    conv = embeddings.patch_embedding
    weight, bias = graph.weight("vision.patch.weight", conv.weight), graph.weight("vision.patch.bias", conv.bias)
    size = [embeddings.patch_size] * 2
    x = graph.op("Conv", pixels, weight, bias, kernel_shape=size, strides=size)
    x = graph.op("Reshape", x, graph.ints(0, width, -1))
    x = graph.op("Transpose", x, perm=[0, 2, 1])
    return graph.op("Add", x, graph.weight(POSITIONS, embeddings.position_embedding.weight))


def _layer_norm(graph: Graph, x: str, name: str, norm: nn.LayerNorm) -> str:
    weight, bias = graph.weight(f"{name}.weight", norm.weight), graph.weight(f"{name}.bias", norm.bias)
    return graph.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=norm.eps)


def _attention(graph: Graph, x: str, name: str, attention: nn.Module, key_mask: str) -> str:
    parts = [
        graph.linear(x, f"{name}.{part}", getattr(attention, part).weight, getattr(attention, part).bias)
        for part in ("q_proj", "k_proj", "v_proj")
    ]
    heads = attention.num_heads
    y = graph.op("MultiHeadAttention", *parts, "", "", key_mask, domain=MICROSOFT, num_heads=heads)
    return graph.linear(y, f"{name}.out_proj", attention.out_proj.weight, attention.out_proj.bias)


def _connector(graph: Graph, model: Idefics3ForConditionalGeneration, x: str) -> None:
    """Adds the pixel shuffle (each f x f patches become one token, row after row) and the projection to the output."""
    config, f = model.config.vision_config, model.config.scale_factor
    side, width = config.image_size // config.patch_size, config.hidden_size
    x = graph.op("Reshape", x, graph.ints(-1, side // f, f, side // f, f * width))
    x = graph.op("Transpose", x, perm=[0, 1, 3, 2, 4])
    x = graph.op("Reshape", x, graph.ints(-1, (side // f) ** 2, f * f * width))
    projection = graph.weight("connector.weight", model.model.connector.modality_projection.proj.weight.t())
    graph.op("MatMul", x, projection, outputs=["image_features"])
    graph.output("image_features", "float", ["tiles", (side // f) ** 2, model.config.text_config.hidden_size])
