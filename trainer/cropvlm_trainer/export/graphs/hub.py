"""The same graphs in the hub's layout, of ONNX's own operators: for other runtimes, and to test our engine with it.

`vision_encoder`: `pixel_values` f32 [B, N, 3, S, S], `pixel_attention_mask` bool [B, N, S, S]
-> `image_features` f32 [B * N, T, D]. Patches without a real pixel are masked; positions are those of full tiles.
`decoder_model_merged`: `inputs_embeds` f32 [B, L, D], `attention_mask` i64 [B, P + L], `position_ids` i64 [B, L],
`past_key_values.{i}.{key,value}` f32 [B, KV, P, hd] -> `logits` f32 [B, L, V], `present.{i}.{key,value}` longer by L.
"""

import onnx
import torch
from torch import nn
from transformers import Idefics3ForConditionalGeneration, LlamaConfig

from cropvlm_trainer.export.graphs.decoder import cache_inputs, check_text_config, mlp, rope_tables
from cropvlm_trainer.export.graphs.graph import Graph
from cropvlm_trainer.export.graphs.vision import vision_body

MASKED = -1e9
"""Added to the scores of what is masked: far below any score, and finite, so that a fully masked row has no NaN."""


def hub_vision_graph(model: Idefics3ForConditionalGeneration) -> onnx.ModelProto:
    """`vision_encoder` in fp32; raises ValueError for a vision model that it cannot express."""
    config = model.config.vision_config
    size, patch = config.image_size, config.patch_size
    patches = (size // patch) ** 2
    graph = Graph("vision_encoder")
    pixels = graph.input("pixel_values", "float", ["batch", "num_images", 3, size, size])
    mask = graph.input("pixel_attention_mask", "bool", ["batch", "num_images", size, size])
    pixels = graph.op("Reshape", pixels, graph.ints(-1, 3, size, size))
    seen = graph.op("Cast", graph.op("Reshape", mask, graph.ints(-1, 1, size, size)), to=onnx.TensorProto.FLOAT)
    seen = graph.op("MaxPool", seen, kernel_shape=[patch, patch], strides=[patch, patch])
    seen = graph.op("Reshape", seen, graph.ints(-1, 1, 1, patches))
    penalty = graph.op("Mul", graph.op("Sub", graph.float(1.0), seen), graph.float(MASKED))
    rows = graph.weight("vision.rows", torch.zeros(1, 1, patches, 1))
    vision_body(graph, model, pixels, key_mask=graph.op("Add", penalty, rows))
    return graph.build()


def hub_decoder_graph(model: Idefics3ForConditionalGeneration) -> onnx.ModelProto:
    """`decoder_model_merged` in fp32; raises ValueError for a text model that it cannot express."""
    config, text = model.config.text_config, model.model.text_model
    check_text_config(config)
    graph = Graph("decoder_model_merged")
    x = graph.input("inputs_embeds", "float", ["batch", "length", config.hidden_size])
    mask = graph.input("attention_mask", "int64", ["batch", "total_length"])
    positions = graph.input("position_ids", "int64", ["batch", "length"])
    graph.output("logits", "float", ["batch", "length", model.lm_head.out_features])
    for i in range(len(text.layers)):
        cache_inputs(graph, i, config, "past_length")
        for part in ("key", "value"):
            shape = ["batch", config.num_key_value_heads, "total_length", config.head_dim]
            graph.output(f"present.{i}.{part}", "float", shape)
    rotation = [
        graph.op("Unsqueeze", graph.op("Gather", graph.weight(name, table), positions), graph.ints(2))
        for name, table in zip(("cos", "sin"), rope_tables(model), strict=True)
    ]
    penalty = _penalty(graph, mask)
    for i, layer in enumerate(text.layers):
        h = _norm(graph, x, f"text.{i}.norm1", layer.input_layernorm)
        x = graph.op("Add", x, _attention(graph, h, i, layer.self_attn, config, rotation, penalty))
        h = _norm(graph, x, f"text.{i}.norm2", layer.post_attention_layernorm)
        x = graph.op("Add", x, mlp(graph, h, f"text.{i}", layer.mlp))
    x = _norm(graph, x, "text.norm", text.norm)
    graph.op("MatMul", x, graph.weight("lm_head.weight", model.lm_head.weight.t()), outputs=["logits"])
    return graph.build()


def _penalty(graph: Graph, mask: str) -> str:
    """What is added to the scores, f32 [B, 1, 1, L, P + L]: MASKED at later and padded tokens, 0 elsewhere."""
    past = graph.dimension("past_key_values.0.key", 2)
    total = graph.dimension(mask, 1)
    zero, one = graph.int_scalar(0), graph.int_scalar(1)
    keys = graph.op("Range", zero, total, one)
    queries = graph.op("Unsqueeze", graph.op("Range", past, total, one), graph.ints(1))
    real = graph.op("Unsqueeze", graph.op("Cast", mask, to=onnx.TensorProto.BOOL), graph.ints(1, 2, 3))
    allowed = graph.op("And", graph.op("LessOrEqual", keys, queries), real)
    return graph.op("Where", allowed, graph.float(0.0), graph.float(MASKED))


def _attention(
    graph: Graph, x: str, i: int, attention: nn.Module, config: LlamaConfig, rotation: list[str], penalty: str
) -> str:
    """The attention's output [B, L, D] for `x` [B, L, D]; also gives the layer's `present.*`."""
    heads, kv_heads, width = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    split = {}
    for part, count in (("q_proj", heads), ("k_proj", kv_heads), ("v_proj", kv_heads)):
        linear = getattr(attention, part)
        y = graph.linear(x, f"text.{i}.{part}", linear.weight, linear.bias)
        y = graph.op("Reshape", y, graph.ints(0, 0, count, width))
        y = y if part == "v_proj" else _rotate(graph, y, rotation)
        split[part] = graph.op("Transpose", y, perm=[0, 2, 1, 3])
    keys, values = (
        graph.op("Concat", f"past_key_values.{i}.{part}", split[new], outputs=[f"present.{i}.{part}"], axis=2)
        for part, new in (("key", "k_proj"), ("value", "v_proj"))
    )
    # The query heads that share a key head are grouped: [B, KV, heads / KV, L, hd] against keys [B, KV, 1, hd, P + L].
    queries = graph.op("Reshape", split["q_proj"], graph.ints(0, kv_heads, heads // kv_heads, -1, width))
    keys = graph.op("Unsqueeze", graph.op("Transpose", keys, perm=[0, 1, 3, 2]), graph.ints(2))
    scores = graph.op("Mul", graph.op("MatMul", queries, keys), graph.float(width**-0.5))
    weights = graph.op("Softmax", graph.op("Add", scores, penalty), axis=-1)
    y = graph.op("MatMul", weights, graph.op("Unsqueeze", values, graph.ints(2)))
    y = graph.op("Transpose", graph.op("Reshape", y, graph.ints(0, heads, -1, width)), perm=[0, 2, 1, 3])
    y = graph.op("Reshape", y, graph.ints(0, 0, heads * width))
    return graph.linear(y, f"text.{i}.o_proj", attention.o_proj.weight, attention.o_proj.bias)


def _rotate(graph: Graph, x: str, rotation: list[str]) -> str:
    """The rotary embedding of `x` [B, L, heads, hd]: each head's first half is rotated against its second."""
    cos, sin = rotation
    first, second = f"{x}.first", f"{x}.second"
    graph.op("Split", x, outputs=[first, second], axis=-1, num_outputs=2)
    left = graph.op("Sub", graph.op("Mul", first, cos), graph.op("Mul", second, sin))
    right = graph.op("Add", graph.op("Mul", second, cos), graph.op("Mul", first, sin))
    return graph.op("Concat", left, right, axis=-1)


def _norm(graph: Graph, x: str, name: str, norm: nn.Module) -> str:
    """The RMS norm of `x` [B, L, D]."""
    variance = graph.op("ReduceMean", graph.op("Mul", x, x), graph.ints(-1))
    root = graph.op("Sqrt", graph.op("Add", variance, graph.float(norm.variance_epsilon)))
    return graph.op("Mul", graph.op("Div", x, root), graph.weight(f"{name}.weight", norm.weight))
