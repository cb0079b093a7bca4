"""Reads a small model back from a folder that `cropvlm-train export` wrote, so that it can be trained further.

The fp32 graphs hold every weight under a name that `export/graphs` gives it; matrices lie there transposed.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.files import read_json
from cropvlm_trainer.idefics3.model import Shape, build_model

GRAPHS = ("vision_encoder", "decoder_model_merged", "embed_tokens")
Weights = dict[str, torch.Tensor]


def load_export(folder: Path) -> tuple[Idefics3ForConditionalGeneration, Shape, Tokenizer]:
    """Returns the model in fp32, its shape and its tokenizer.

    Raises FileNotFoundError where a file of the folder is missing, and ValueError where it is no small model of ours:
    real SmolVLM checkpoints are trained from their safetensors.
    """
    for name in ("config.json", "tokenizer.json", *(f"onnx/{graph}.onnx" for graph in GRAPHS)):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} holds no {name}; name a folder that `export --precision fp32` wrote")
    shape = shape_of(read_json(folder / "config.json"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = build_model(shape, tokenizer, seed=0)
    weights = _weights(folder)
    try:
        state = {**_vision(shape, weights), **_text(shape, weights)}
    except KeyError as error:
        raise ValueError(f"the graphs of {folder} hold no {error}; only small models can be read back") from error
    model.load_state_dict(state)
    return model, shape, tokenizer


def shape_of(config: dict) -> Shape:
    """Returns the shape that a checkpoint's `config.json` describes."""
    vision, text = config["vision_config"], config["text_config"]
    return Shape(
        tile=vision["image_size"],
        patch=vision["patch_size"],
        shuffle=config["scale_factor"],
        vision_width=vision["hidden_size"],
        vision_layers=vision["num_hidden_layers"],
        vision_heads=vision["num_attention_heads"],
        text_width=text["hidden_size"],
        text_layers=text["num_hidden_layers"],
        text_heads=text["num_attention_heads"],
        text_kv_heads=text["num_key_value_heads"],
        text_mlp=text["intermediate_size"],
        max_positions=text["max_position_embeddings"],
    )


def _weights(folder: Path) -> Weights:
    graphs = [onnx.load(str(folder / f"onnx/{name}.onnx")).graph for name in GRAPHS]
    return {
        each.name: torch.from_numpy(numpy_helper.to_array(each).copy())
        for graph in graphs
        for each in graph.initializer
    }


def _vision(shape: Shape, weights: Weights) -> Weights:
    """The vision encoder's and the connector's parameters under transformers' names."""
    root = "model.vision_model."
    state = {
        f"{root}embeddings.patch_embedding.weight": weights["vision.patch.weight"],
        f"{root}embeddings.patch_embedding.bias": weights["vision.patch.bias"],
        f"{root}embeddings.position_embedding.weight": weights["vision.positions"],
        f"{root}post_layernorm.weight": weights["vision.post_norm.weight"],
        f"{root}post_layernorm.bias": weights["vision.post_norm.bias"],
        "model.connector.modality_projection.proj.weight": weights["connector.weight"].T.contiguous(),
    }
    linear = {"self_attn.": ("q_proj", "k_proj", "v_proj", "out_proj"), "mlp.": ("fc1", "fc2")}
    for layer in range(shape.vision_layers):
        ours, theirs = f"vision.{layer}.", f"{root}encoder.layers.{layer}."
        for norm in ("1", "2"):
            for part in ("weight", "bias"):
                state[f"{theirs}layer_norm{norm}.{part}"] = weights[f"{ours}norm{norm}.{part}"]
        for place, names in linear.items():
            for name in names:
                state[f"{theirs}{place}{name}.weight"] = weights[f"{ours}{name}.weight"].T.contiguous()
                state[f"{theirs}{place}{name}.bias"] = weights[f"{ours}{name}.bias"]
    return state


def _text(shape: Shape, weights: Weights) -> Weights:
    """The text model's parameters under transformers' names."""
    root, head = "model.text_model.", shape.text_width // shape.text_heads
    state = {
        f"{root}embed_tokens.weight": weights["embed_tokens.weight"],
        f"{root}norm.weight": weights["text.norm.weight"],
        "lm_head.weight": weights["lm_head.weight"].T.contiguous(),
    }
    sizes = [shape.text_heads * head, shape.text_kv_heads * head, shape.text_kv_heads * head]
    for layer in range(shape.text_layers):
        ours, theirs = f"text.{layer}.", f"{root}layers.{layer}."
        merged = weights[f"{ours}qkv.weight"].T.split(sizes)
        for name, part in zip(("q_proj", "k_proj", "v_proj"), merged, strict=True):
            state[f"{theirs}self_attn.{name}.weight"] = part.contiguous()
        state[f"{theirs}self_attn.o_proj.weight"] = weights[f"{ours}o_proj.weight"].T.contiguous()
        state[f"{theirs}input_layernorm.weight"] = weights[f"{ours}norm1.weight"]
        state[f"{theirs}post_attention_layernorm.weight"] = weights[f"{ours}norm2.weight"]
        for name in ("gate_proj", "up_proj", "down_proj"):
            state[f"{theirs}mlp.{name}.weight"] = weights[f"{ours}{name}.weight"].T.contiguous()
    return state
