"""What `cropvlm-train fixture` writes: model folders with random weights, for tests.

`tiny` is in our layout; `tiny-hub` has the same weights in the hub's layout, and `tiny-attention` gives its attention.
With `--full-size`, the folder has the architecture and tokenizer of a real checkpoint (`--files`) and random weights,
to try out sizes and memory.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoProcessor, GenerationConfig, Idefics3ForConditionalGeneration

from cropvlm_trainer.contract import cropper_prompt, format_box, target_prompt
from cropvlm_trainer.export.export import export, export_model
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.model import Shape, build_model
from cropvlm_trainer.idefics3.tokenizer import build_tokenizer

TINY = Shape(
    tile=64,
    patch=8,
    shuffle=2,
    vision_width=32,
    vision_layers=2,
    vision_heads=2,
    text_width=64,
    text_layers=2,
    text_heads=4,
    text_kv_heads=2,
    text_mlp=96,
    max_positions=2048,
)
TINY_VOCABULARY = 352
ATTENTION_LAYERS = (1, 0)
"""of `tiny-attention`: both, so that their mean counts"""
TRAINING = {"base": None, "data": None, "recipe": "random weights", "steps": 0}
GAINS = {"q_proj": 2.0, "k_proj": 2.0, "v_proj": 1.5, "o_proj": 2.0, "patch_embedding": 2.0, "modality": 1.5}
"""Factors of the random weights, by a part of their name. They sharpen attention and strengthen the image's influence;
without them a random model repeats its last token whatever it sees."""


def tiny_tokenizer() -> Tokenizer:
    """Returns a tokenizer learnt from the texts of `cropvlm_trainer.contract`, so that it is the same at each call."""
    questions = ["What is the total?", "What number is under the red circle?", "which line is on the left"]
    prompts = [prompt(q) for q in questions for prompt in (cropper_prompt, target_prompt)]
    boxes = [format_box(box) for box in [(0, 0, 50, 50), (12, 5, 80, 47), (33, 61, 74, 98)]]
    return build_tokenizer([*prompts, *boxes, "\n\n", "User:", "Assistant:"] * 4, TINY_VOCABULARY)


def tiny_model(seed: int) -> Idefics3ForConditionalGeneration:
    """Returns the tiny model with random weights that make its answers depend on images and questions."""
    model = build_model(TINY, tiny_tokenizer(), seed)
    randomize(model, seed)
    return model.eval()


@torch.no_grad()
def randomize(model: nn.Module, seed: int) -> None:
    """Replaces every weight by a random one.

    Linear layers keep the scale of their input, or raise it by `GAINS`; embeddings have a standard deviation of 1.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:
            spread = 0.1 if name.endswith("bias") else 0.2
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
            if not name.endswith("bias"):
                parameter.add_(1)
            continue
        embedding = "embed" in name and "patch" not in name
        fan_in = 1 if embedding else parameter[0].numel()
        gain = next((gain for part, gain in GAINS.items() if part in name), 1.0)
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * gain / fan_in**0.5)


def save_tiny(out: Path, seed: int) -> None:
    """Writes the same weights to `out`/tiny and `out`/tiny-attention in our layout, to `out`/tiny-hub in the hub's."""
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = Path(scratch)
        save_checkpoint(tiny_model(seed), TINY, tiny_tokenizer(), checkpoint, TRAINING | {"seed": seed})
        export(checkpoint, out / "tiny", role="cropper", model_id="tiny")
        seen = {"model_id": "tiny-attention", "attention": ATTENTION_LAYERS}
        export(checkpoint, out / "tiny-attention", role="target", **seen)
        export(checkpoint, out / "tiny-hub", role="cropper", model_id="tiny-hub", hub_layout=True)


def save_full_size(out: Path, files: Path, seed: int) -> None:
    """Writes `out`/full-size (1 GB): the architecture and files of the checkpoint folder `files`, with random weights.

    Raises FileNotFoundError where `files` holds no config.json.
    """
    if not (files / "config.json").exists():
        raise FileNotFoundError(f"{files} holds no config.json; name the folder of a checkpoint's files with --files")
    torch.manual_seed(seed)
    model = Idefics3ForConditionalGeneration(AutoConfig.from_pretrained(files)).float()
    model.generation_config = GenerationConfig.from_pretrained(files)
    processor = AutoProcessor.from_pretrained(files)
    export_model(
        model,
        processor,
        files,
        out / "full-size",
        role="cropper",
        model_id="full-size-random",
        parity_prompts=1,
        training=TRAINING | {"seed": seed},
    )
