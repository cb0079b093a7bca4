"""`decoder_model_merged` in our layout: one graph of onnxruntime's fused operators, for prompts and for single tokens.

In the shapes: B rows, L tokens of this run, P tokens before them, C places of the cache, KV key-value heads of width
hd, D the model's width, V its vocabulary, K logits wanted a row.

Inputs: `inputs_embeds` f32 [B, L, D]; `attention_mask` i64 [B, P + L], 1 for a real token, 0 for the padding to its
right; `logit_indices` i64 [B, K], the tokens (0 to L - 1) whose logits are wanted; for each layer i
`past_key_values.{i}.{key,value}` f32 [B, KV, C, hd].
Outputs: `logits` f32 [B, K, V]; `cache_update` f32 [B, 2 * layers * KV, L, hd], the keys and values of this run's
tokens in the order of the inputs, which the engine writes into the cache after the P tokens before. The whole cache, as
`present.*` of other exports has it, would be megabytes a token: onnxruntime-node copies each output into new memory.

With `attention` layers there is one more output: `attention` f32 [B, layers, P + L], how the last of the tokens in
`logit_indices` attends to each token up to itself, the mean over the heads; 0 for the tokens after it.

The attention (com.microsoft.GroupQueryAttention) is causal. Row b's tokens stand at the positions that end with
sum(mask[b]) - 1. Where there is a cache, several tokens in one run need a batch of one row.
"""

import math
from collections.abc import Sequence

import onnx
import torch
from torch import nn
from transformers import Idefics3ForConditionalGeneration, LlamaConfig

from cropvlm_trainer.attention.maps import attention_layers
from cropvlm_trainer.export.graphs.graph import Graph
from cropvlm_trainer.export.graphs.nodes import MICROSOFT

UNSEEN = -10000.0
"""The score of a token that must not be attended to: its weight, exp(-10000), is 0, and half precision holds it."""


def decoder_graph(model: Idefics3ForConditionalGeneration, attention: Sequence[int] = ()) -> onnx.ModelProto:
    """The graph in fp32. `attention`: the layers whose attention is an output too, in its order.

    Raises ValueError for a text model that it cannot express, and for layers that the model does not have.
    """
    config, text = model.config.text_config, model.model.text_model
    check_text_config(config)
    attention = attention_layers(attention, len(text.layers)) if attention else []
    graph = Graph("decoder_model_merged")
    x = graph.input("inputs_embeds", "float", ["batch", "length", config.hidden_size])
    mask = graph.input("attention_mask", "int64", ["batch", "total_length"])
    indices = graph.input("logit_indices", "int64", ["batch", "wanted"])
    graph.output("logits", "float", ["batch", "wanted", model.lm_head.out_features])
    parts = 2 * len(text.layers) * config.num_key_value_heads
    graph.output("cache_update", "float", ["batch", parts, "length", config.head_dim])
    if attention:
        graph.output("attention", "float", ["batch", len(attention), "total_length"])
    for i in range(len(text.layers)):
        cache_inputs(graph, i, config, "capacity")
    lengths, positions = _lengths(graph, mask, x)
    updates: list[str] = []
    queries: list[str] = []
    tables = [graph.weight(name, table) for name, table in zip(("cos", "sin"), rope_tables(model), strict=True)]
    h = _norm(graph, x, "text.0.norm1", text.layers[0].input_layernorm)
    for i, layer in enumerate(text.layers):
        attended, query, *added = _attention(graph, h, i, layer.self_attn, config, lengths, [positions, *tables])
        queries.append(query)
        updates += added
        h, x = _add_norm(graph, x, attended, f"text.{i}.norm2", layer.post_attention_layernorm)
        expanded = mlp(graph, h, f"text.{i}", layer.mlp)
        if i + 1 < len(text.layers):
            h, x = _add_norm(graph, x, expanded, f"text.{i + 1}.norm1", text.layers[i + 1].input_layernorm)
        else:
            x = graph.op("Add", x, expanded)
    x = graph.op("GatherND", x, graph.op("Unsqueeze", indices, graph.ints(-1)), batch_dims=1)
    x = _norm(graph, x, "text.norm", text.norm)
    graph.op("MatMul", x, graph.weight("lm_head.weight", model.lm_head.weight.t()), outputs=["logits"])
    update = graph.op("Reshape", graph.op("Concat", *updates, axis=2), graph.ints(0, 0, -1, config.head_dim))
    graph.op("Transpose", update, perm=[0, 2, 1, 3], outputs=["cache_update"])
    if attention:
        _last_attention(graph, {i: queries[i] for i in attention}, config, mask, indices, positions)
    return graph.build()


def check_text_config(config: LlamaConfig) -> None:
    """Raises ValueError for a text model that neither layout's decoder graph can express."""
    if config.model_type != "llama":
        raise ValueError(f"text model {config.model_type!r} cannot be exported; only llama can")
    if config.hidden_act != "silu":
        raise ValueError(f"text activation {config.hidden_act!r} cannot be exported; only silu can")
    if config.head_dim % 16:
        raise ValueError(
            f"head_dim {config.head_dim} cannot be exported: onnxruntime rotates in units of 16; "
            "choose a text width and number of heads that give a multiple of 16"
        )
    kind = config.rope_parameters["rope_type"]
    if kind in ("dynamic", "longrope"):
        raise ValueError(f"rope type {kind!r} cannot be exported: its angles depend on the length of the prompt")


def rope_tables(model: Idefics3ForConditionalGeneration) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines f32 [max positions, hd / 2], from the model's own frequencies and scaling."""
    rope = model.model.text_model.rotary_emb
    positions = torch.arange(model.config.text_config.max_position_embeddings, dtype=torch.float32)
    angles = positions[:, None] * rope.inv_freq.cpu().float()[None, :]
    return angles.cos() * rope.attention_scaling, angles.sin() * rope.attention_scaling


def cache_inputs(graph: Graph, layer: int, config: LlamaConfig, past: str) -> None:
    """Declares the cache inputs of one layer; `past` is the name of their third dimension."""
    for part in ("key", "value"):
        shape = ["batch", config.num_key_value_heads, past, config.head_dim]
        graph.input(f"past_key_values.{layer}.{part}", "float", shape)


def mlp(graph: Graph, x: str, name: str, block: nn.Module) -> str:
    """SwiGLU: `down(silu(gate(x)) * up(x))`; x and the output [B, L, D]."""
    gate = graph.linear(x, f"{name}.gate_proj", block.gate_proj.weight, block.gate_proj.bias)
    up = graph.linear(x, f"{name}.up_proj", block.up_proj.weight, block.up_proj.bias)
    gate = graph.op("Mul", gate, graph.op("Sigmoid", gate))
    return graph.linear(graph.op("Mul", gate, up), f"{name}.down_proj", block.down_proj.weight, block.down_proj.bias)


def _lengths(graph: Graph, mask: str, x: str) -> tuple[tuple[str, str], str]:
    """What the attention is told of lengths, and the positions of this run's tokens, i64 [B, L].

    The lengths are GroupQueryAttention's inputs `seqlens_k` i32 [B], each row's real tokens less one, and
    `total_sequence_length`, an i32 without dimensions, the mask's width.
    """
    count = graph.op("ReduceSum", mask, graph.ints(1), keepdims=1)
    last = graph.op("Sub", count, graph.ints(1))
    last = graph.op("Cast", graph.op("Squeeze", last, graph.ints(1)), to=onnx.TensorProto.INT32)
    width = graph.op("Cast", graph.dimension(mask, 1), to=onnx.TensorProto.INT32)
    length = graph.dimension(x, 1)
    # The tokens before this run. Without a cache a row's padding makes the run longer than its real tokens: then 0.
    past = graph.op("Max", graph.op("Sub", count, length), graph.ints(0))
    zero, one = graph.int_scalar(0), graph.int_scalar(1)
    return (last, width), graph.op("Add", past, graph.op("Range", zero, length, one))


def _attention(
    graph: Graph, x: str, i: int, attention: nn.Module, config: LlamaConfig, lengths: tuple[str, str], rope: list[str]
) -> tuple[str, str, str, str]:
    """The attention's output [B, L, D], this run's rotated queries [B, L, H * hd], its keys and its values.

    The keys (rotated) and values are [B, L, KV * hd] each.
    """
    parts = (attention.q_proj, attention.k_proj, attention.v_proj)
    bias = None if attention.q_proj.bias is None else torch.cat([part.bias for part in parts])
    packed = graph.linear(x, f"text.{i}.qkv", torch.cat([part.weight for part in parts]), bias)
    q, k, v = (f"text.{i}.{name}" for name in "qkv")
    graph.op("Split", packed, graph.ints(*[part.out_features for part in parts]), outputs=[q, k, v], axis=2)
    q, k = (graph.op("RotaryEmbedding", part, *rope, domain=MICROSOFT) for part in (q, k))
    past = [f"past_key_values.{i}.{part}" for part in ("key", "value")]
    y = f"text.{i}.attended"
    graph.op(
        "GroupQueryAttention",
        *[q, k, v, *past, *lengths],
        outputs=[y, f"text.{i}.keys", f"text.{i}.values"],
        domain=MICROSOFT,
        num_heads=config.num_attention_heads,
        kv_num_heads=config.num_key_value_heads,
    )
    return graph.linear(y, f"text.{i}.o_proj", attention.o_proj.weight, attention.o_proj.bias), q, k, v


def _last_attention(
    graph: Graph, queries: dict[int, str], config: LlamaConfig, mask: str, indices: str, positions: str
) -> None:
    """The output `attention`, from the rotated queries of each wanted layer and the attention's keys.

    GroupQueryAttention keeps its probabilities to itself. Those of one token are cheap to compute beside it.
    """
    kv, width = config.num_key_value_heads, config.head_dim
    last = graph.op("Slice", indices, graph.ints(-1), graph.ints(2**62), graph.ints(1))
    at = graph.op("Unsqueeze", last, graph.ints(-1))
    # The position of that token in its row, [B, 1, 1, 1], and the tokens after it, [B, 1, 1, P + L].
    own = graph.op("Unsqueeze", graph.op("GatherND", positions, at, batch_dims=1), graph.ints(-1, -2))
    total = graph.dimension(mask, 1)
    unseen = graph.op("Greater", graph.op("Range", graph.int_scalar(0), total, graph.int_scalar(1)), own)
    whole = graph.op("Unsqueeze", total, graph.ints(0))
    maps = []
    for i, rotated in queries.items():
        q = graph.op("GatherND", rotated, at, batch_dims=1)  # [B, 1, H * hd]
        q = graph.op("Reshape", q, graph.ints(0, kv, -1, width))  # the heads of one key-value head lie together
        k = graph.op("Slice", f"text.{i}.keys", graph.ints(0), whole, graph.ints(2))
        q = graph.op("Mul", q, graph.float(1 / math.sqrt(width)))
        scores = graph.op("MatMul", q, graph.op("Transpose", k, perm=[0, 1, 3, 2]))  # [B, KV, H / KV, P + L]
        weights = graph.op("Softmax", graph.op("Where", unseen, graph.float(UNSEEN), scores), axis=-1)
        maps.append(graph.op("ReduceMean", weights, graph.ints(1, 2), keepdims=0))
    graph.op("Concat", *[graph.op("Unsqueeze", one, graph.ints(1)) for one in maps], axis=1, outputs=["attention"])


def _norm(graph: Graph, x: str, name: str, norm: nn.Module) -> str:
    """The RMS norm of `x` [B, L, D]."""
    weight = graph.weight(f"{name}.weight", norm.weight)
    return graph.op("SimplifiedLayerNormalization", x, weight, axis=-1, epsilon=norm.variance_epsilon)


def _add_norm(graph: Graph, x: str, y: str, name: str, norm: nn.Module) -> tuple[str, str]:
    """The RMS norm of `x + y`, and the sum itself; all [B, L, D]."""
    weight = graph.weight(f"{name}.weight", norm.weight)
    outputs = [name, "", "", f"{name}.sum"]
    graph.op(
        "SkipSimplifiedLayerNormalization",
        *[x, y, weight],
        outputs=outputs,
        domain=MICROSOFT,
        epsilon=norm.variance_epsilon,
    )
    return name, f"{name}.sum"
