"""The tiny SmolVLM as llama.cpp reads it: a file of the language model and one (`mmproj`) of the vision encoder."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
from transformers import AutoTokenizer, Idefics3ForConditionalGeneration

TEXT_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
VISION_NAMES = {
    "layer_norm1": "ln1",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "layer_norm2": "ln2",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
}
OTHER_NAMES = {
    "model.text_model.embed_tokens": "token_embd",
    "model.text_model.norm": "output_norm",
    "lm_head": "output",
    "model.vision_model.embeddings.patch_embedding": "v.patch_embd",
    "model.vision_model.embeddings.position_embedding": "v.position_embd",
    "model.vision_model.post_layernorm": "v.post_ln",
    "model.connector.modality_projection.proj": "mm.model.fc",
}


def write_gguf(model_folder: Path, text_file: Path, mmproj_file: Path) -> None:
    """Writes both files from a model folder in the hub's layout."""
    model = Idefics3ForConditionalGeneration.from_pretrained(model_folder)
    tensors = {name: value.float().numpy() for name, value in model.state_dict().items()}
    text = gguf.GGUFWriter(text_file, "llama")
    _describe_text(text, model.config.text_config)
    _describe_tokenizer(text, model_folder, model.config.text_config.vocab_size, model.generation_config)
    vision = gguf.GGUFWriter(mmproj_file, "clip")
    _describe_vision(vision, model.config, json.loads((model_folder / "preprocessor_config.json").read_text()))
    for name, value in tensors.items():
        writer, value = (vision if _is_vision(name) else text), _permuted(name, value, model.config.text_config)
        # llama.cpp wants vectors and the position embedding in float32
        half = value.ndim > 1 and "position" not in name
        writer.add_tensor(_gguf_name(name), value.astype(np.float16 if half else np.float32))
    for writer in (text, vision):
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def _is_vision(name: str) -> bool:
    return name.startswith(("model.vision_model", "model.connector"))


def _gguf_name(name: str) -> str:
    """Returns llama.cpp's name of a tensor of transformers' Idefics3."""
    module, _, kind = name.rpartition(".")
    if module in OTHER_NAMES:
        return f"{OTHER_NAMES[module]}.{kind}"
    _, _, rest = module.partition(".layers.")
    layer, _, part = rest.partition(".")
    if _is_vision(name):
        return f"v.blk.{layer}.{VISION_NAMES[part]}.{kind}"
    return f"blk.{layer}.{TEXT_NAMES[part]}.{kind}"


def _permuted(name: str, value: np.ndarray, text) -> np.ndarray:
    """Returns the rows of a query or key projection in the order that llama.cpp's rotary embedding expects.

    transformers rotates a head's two halves against each other, llama.cpp neighbouring rows.
    """
    heads = {"q_proj": text.num_attention_heads, "k_proj": text.num_key_value_heads}.get(name.split(".")[-2])
    if heads is None or _is_vision(name):
        return value
    return value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)


def _describe_text(writer: gguf.GGUFWriter, text) -> None:
    writer.add_name("tiny-smolvlm")
    writer.add_context_length(text.max_position_embeddings)
    writer.add_embedding_length(text.hidden_size)
    writer.add_block_count(text.num_hidden_layers)
    writer.add_feed_forward_length(text.intermediate_size)
    writer.add_head_count(text.num_attention_heads)
    writer.add_head_count_kv(text.num_key_value_heads)
    writer.add_layer_norm_rms_eps(text.rms_norm_eps)
    writer.add_rope_dimension_count(text.head_dim)
    writer.add_rope_freq_base(text.rope_parameters["rope_theta"])
    writer.add_vocab_size(text.vocab_size)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _describe_tokenizer(writer: gguf.GGUFWriter, folder: Path, size: int, generation) -> None:
    bpe = json.loads((folder / "tokenizer.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    special = set(tokenizer.added_tokens_decoder)
    tokens = [tokenizer.convert_ids_to_tokens(id) if id < len(tokenizer) else f"[PAD{id}]" for id in range(size)]
    normal, control = gguf.TokenType.NORMAL, gguf.TokenType.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([control if id in special else normal for id in range(size)])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in bpe["model"]["merges"]])
    writer.add_bos_token_id(generation.bos_token_id)
    writer.add_eos_token_id(generation.eos_token_id)
    writer.add_pad_token_id(generation.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(json.loads((folder / "chat_template.json").read_text())["chat_template"])


def _describe_vision(writer: gguf.GGUFWriter, config, preprocessor: dict) -> None:
    vision = config.vision_config
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(gguf.VisionProjectorType.IDEFICS3)
    writer.add_vision_projection_dim(config.text_config.hidden_size)
    writer.add_vision_image_size(vision.image_size)
    writer.add_vision_patch_size(vision.patch_size)
    writer.add_vision_embedding_length(vision.hidden_size)
    writer.add_vision_feed_forward_length(vision.intermediate_size)
    writer.add_vision_block_count(vision.num_hidden_layers)
    writer.add_vision_head_count(vision.num_attention_heads)
    writer.add_vision_attention_layernorm_eps(vision.layer_norm_eps)
    writer.add_vision_projector_scale_factor(config.scale_factor)
    writer.add_vision_preproc_image_size(preprocessor["size"]["longest_edge"])
    writer.add_vision_image_mean(preprocessor["image_mean"])
    writer.add_vision_image_std(preprocessor["image_std"])
    writer.add_vision_use_gelu(True)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
