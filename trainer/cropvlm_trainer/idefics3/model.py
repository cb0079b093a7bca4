"""Small Idefics3 models: their shape and their initial weights. And the device that a model runs on."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from transformers import Idefics3Config, Idefics3ForConditionalGeneration, LlamaConfig

from cropvlm_trainer.contract import END_OF_UTTERANCE


def _with_valid_default(make: Callable[..., None]) -> Callable[..., None]:
    def post_init(self: Idefics3Config, **kwargs) -> None:
        if self.text_config is None:
            self.text_config = LlamaConfig(
                vocab_size=self.pad_token_id + 1, rms_norm_eps=1e-5, pad_token_id=self.pad_token_id
            )
        make(self, **kwargs)

    return post_init


# transformers 5.18 compares each config that it reads with `Idefics3Config()`, and warns that the padding token of that
# default, 128002, is not in the vocabulary of its default Llama. The default gets a vocabulary that has it; what is
# read and written stays the same. Goes when transformers' default is valid.
Idefics3Config.__post_init__ = _with_valid_default(Idefics3Config.__post_init__)


@dataclass(frozen=True)
class Shape:
    """The sizes of a small Idefics3.

    `tile` and `patch` are edges in pixels. Pixel shuffle makes one token of `shuffle` x `shuffle` patches.
    """

    tile: int = 96
    patch: int = 8
    shuffle: int = 2
    vision_width: int = 160
    vision_layers: int = 4
    vision_heads: int = 5
    text_width: int = 128
    text_layers: int = 4
    text_heads: int = 4
    text_kv_heads: int = 2
    text_mlp: int = 320
    max_positions: int = 4096

    @property
    def tokens_per_tile(self) -> int:
        return (self.tile // self.patch // self.shuffle) ** 2


def build_model(shape: Shape, tokenizer: Tokenizer, seed: int) -> Idefics3ForConditionalGeneration:
    """A model of this shape with random weights."""
    image_token = tokenizer.token_to_id("<image>")
    end = tokenizer.token_to_id(END_OF_UTTERANCE)
    pad = tokenizer.token_to_id("<|im_end|>")
    config = Idefics3Config(
        image_token_id=image_token,
        scale_factor=shape.shuffle,
        tie_word_embeddings=False,
        pad_token_id=pad,
        vision_config={
            "hidden_size": shape.vision_width,
            "intermediate_size": 4 * shape.vision_width,
            "num_hidden_layers": shape.vision_layers,
            "num_attention_heads": shape.vision_heads,
            "image_size": shape.tile,
            "patch_size": shape.patch,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": tokenizer.get_vocab_size(),
            "hidden_size": shape.text_width,
            "intermediate_size": shape.text_mlp,
            "num_hidden_layers": shape.text_layers,
            "num_attention_heads": shape.text_heads,
            "num_key_value_heads": shape.text_kv_heads,
            "head_dim": shape.text_width // shape.text_heads,
            "max_position_embeddings": shape.max_positions,
            "rms_norm_eps": 1e-5,
            "rope_theta": 100000.0,
            "bos_token_id": tokenizer.token_to_id("<|im_start|>"),
            "eos_token_id": end,
            "pad_token_id": pad,
            "tie_word_embeddings": False,
        },
    )
    model = Idefics3ForConditionalGeneration(config)
    _initialise(model, seed)
    model.generation_config.eos_token_id = end
    model.generation_config.pad_token_id = pad
    model.generation_config.bos_token_id = tokenizer.token_to_id("<|im_start|>")
    return model


@torch.no_grad()
def _initialise(model: Idefics3ForConditionalGeneration, seed: int) -> None:
    """Draws weights of variance 1 / fan-in. transformers' standard deviation, 0.02, fits widths near 2,500 only.

    Word and position embeddings get the size of what image patches give; smaller ones would be lost beside it.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0, fan_in**-0.5, generator=generator)
            if module.bias is not None:
                module.bias.zero_()
    model.model.text_model.embed_tokens.weight.normal_(0, 1, generator=generator)
    positions = model.model.vision_model.embeddings.position_embedding.weight
    positions.copy_(_grid_positions(math.isqrt(len(positions)), positions.shape[1]))
    # What is added to a residual stream starts smaller the more additions there are.
    for stack in (model.model.vision_model.encoder.layers, model.model.text_model.layers):
        for name, parameter in stack.named_parameters():
            if name.endswith(("out_proj.weight", "fc2.weight", "o_proj.weight", "down_proj.weight")):
                parameter.mul_((2 * len(stack)) ** -0.5)
    # Queries start equal to keys, so that a token attends to those that resemble it (mimetic initialisation, Trockman
    # and Kolter 2023).
    for layer in model.model.text_model.layers:
        attention = layer.self_attn
        keys = attention.k_proj.weight.unflatten(0, (-1, attention.head_dim))
        attention.q_proj.weight.copy_(keys.repeat_interleave(attention.num_key_value_groups, dim=0).flatten(0, 1))


def _grid_positions(side: int, width: int) -> torch.Tensor:
    """Position embeddings `[side * side, width]`: sines and cosines of row and column, of mean square 1/2."""
    frequencies = math.pi / 2 * (2 * side) ** (torch.arange(width // 4) / (width // 4))
    angles = (torch.arange(side)[:, None] + 0.5) / side * frequencies
    line = torch.cat([angles.sin(), angles.cos()], dim=1)
    rows, columns = line[:, None].expand(-1, side, -1), line[None].expand(side, -1, -1)
    return torch.cat([rows, columns], dim=2).flatten(0, 1)


def pick_device(name: str) -> torch.device:
    """The device of this name; "auto" is a GPU where there is one, else the CPU."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
