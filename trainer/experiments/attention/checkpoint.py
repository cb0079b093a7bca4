"""Writes the transformers checkpoint that a model folder's fp32 graphs were exported from: they hold all its weights.

    python experiments/attention/checkpoint.py ../models/smolvlm-mini runs/attention/smolvlm-mini

`cropvlm-train verify ../models/smolvlm-mini --checkpoint runs/attention/smolvlm-mini` says that it is the same model.
"""

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from transformers import AutoConfig, Idefics3ForConditionalGeneration

from cropvlm_trainer.export.check.session import GRAPHS
from cropvlm_trainer.export.manifest import COPIED

VISION = "model.vision_model"
TEXT = "model.text_model"
NORMS = {"norm1": "layer_norm1", "norm2": "layer_norm2"}
TEXT_NORMS = {"norm1": "input_layernorm", "norm2": "post_attention_layernorm"}
PLAIN = {
    "vision.patch": f"{VISION}.embeddings.patch_embedding",
    "vision.positions": f"{VISION}.embeddings.position_embedding.weight",
    "vision.post_norm": f"{VISION}.post_layernorm",
    "text.norm": f"{TEXT}.norm",
    "embed_tokens": f"{TEXT}.embed_tokens",
    "lm_head": "lm_head",
    "connector": "model.connector.modality_projection.proj",
}


def checkpoint(folder: Path, out: Path) -> None:
    """Writes the checkpoint. Raises RuntimeError, by transformers, where a weight is missing or of another shape."""
    model = Idefics3ForConditionalGeneration(AutoConfig.from_pretrained(folder)).float()
    weights = {}
    for graph in GRAPHS:
        for tensor in onnx.load(folder / "onnx" / f"{graph}.onnx").graph.initializer:
            value = torch.from_numpy(numpy_helper.to_array(tensor).copy())
            weights |= dict(_named(tensor.name, value, model.config.text_config))
    model.load_state_dict(weights)
    model.save_pretrained(out)
    for name in COPIED:
        if (folder / name).exists():
            shutil.copyfile(folder / name, out / name)


def _named(name: str, value: torch.Tensor, text) -> Iterator[tuple[str, torch.Tensor]]:
    """The weight under transformers' names; nothing for a constant of the graph alone."""
    stem, _, kind = name.rpartition(".")
    if name in PLAIN or stem in PLAIN:
        named = PLAIN[name] if name in PLAIN else f"{PLAIN[stem]}.{kind}"
        yield named, value.t().contiguous() if stem in ("lm_head", "connector") else value
        return
    side, *rest = name.split(".")
    if side not in ("vision", "text") or len(rest) != 3 or not rest[0].isdecimal():
        return
    layer, part, kind = rest
    own = value.t().contiguous() if value.dim() == 2 else value
    if side == "vision":
        block = "" if part in NORMS else "mlp." if part.startswith("fc") else "self_attn."
        yield f"{VISION}.encoder.layers.{layer}.{block}{NORMS.get(part, part)}.{kind}", own
    elif part == "qkv":
        heads = [text.num_attention_heads, text.num_key_value_heads, text.num_key_value_heads]
        sizes = [count * text.head_dim for count in heads]
        for letter, one in zip("qkv", own.split(sizes), strict=True):
            yield f"{TEXT}.layers.{layer}.self_attn.{letter}_proj.{kind}", one
    else:
        block = "" if part in TEXT_NORMS else "self_attn." if part == "o_proj" else "mlp."
        yield f"{TEXT}.layers.{layer}.{block}{TEXT_NORMS.get(part, part)}.{kind}", own


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an exported model, with fp32 graphs")
    parser.add_argument("out", type=Path, help="the checkpoint's folder")
    arguments = parser.parse_args()
    checkpoint(arguments.folder, arguments.out)
