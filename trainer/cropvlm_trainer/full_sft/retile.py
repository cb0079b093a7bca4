"""Gives a small model larger tiles: what it has learnt at 96 pixels is where it starts at 512."""

from __future__ import annotations

import math
from dataclasses import replace

import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.idefics3.model import Shape, build_model

PATCHES = "model.vision_model.embeddings.patch_embedding.weight"
POSITIONS = "model.vision_model.embeddings.position_embedding.weight"


def check_tile(shape: Shape) -> None:
    """Raises ValueError for a tile that its patches do not fill."""
    tile, patch, side = shape.tile, shape.patch, shape.shuffle
    if tile % (patch * side):
        raise ValueError(
            f"a tile of {tile} pixels cannot be cut into patches of {patch} of which {side} x {side} make a token; "
            f"choose a multiple of {patch * side}"
        )


def retiled(
    model: Idefics3ForConditionalGeneration, shape: Shape, tokenizer: Tokenizer, tile: int, patch: int
) -> tuple[Idefics3ForConditionalGeneration, Shape]:
    """Returns a copy of the model for tiles of `tile` pixels in patches of `patch` pixels, and its shape.

    The patch kernel is enlarged so that an enlarged picture gives the patch embedding that it gave before; position
    embeddings are interpolated bicubically over the tile. All other weights stay.
    Raises ValueError for a patch that is no multiple of the model's, and a tile that its patches do not fill.
    """
    if patch % shape.patch:
        raise ValueError(f"a patch of {patch} pixels is no multiple of the model's {shape.patch}; choose one that is")
    larger = replace(shape, tile=tile, patch=patch)
    check_tile(larger)
    state = model.state_dict()
    times = patch // shape.patch
    if times > 1:
        state[PATCHES] = F.interpolate(state[PATCHES], scale_factor=times, mode="nearest") / times**2
    positions, side = state[POSITIONS], tile // patch
    before = math.isqrt(len(positions))
    if side != before:
        grid = positions.T.reshape(1, -1, before, before)
        grid = F.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
        state[POSITIONS] = grid[0].flatten(1).T.contiguous()
    copy = build_model(larger, tokenizer, seed=0)
    copy.load_state_dict({name: value.detach().clone() for name, value in state.items()})
    return copy, larger
