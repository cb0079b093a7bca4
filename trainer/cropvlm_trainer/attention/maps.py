"""Maps of attention over an image: from the attention on its tokens, tile by tile, to one map of the whole image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

METHODS = ("rel-att", "grad-att")
"""Relative attention, and the attention weighted by its gradient."""
GENERAL_QUESTION = "Write a general description of the image."
"""What the attention of a question is compared with (ViCrop's released code). It is asked in the same prompt."""
LEAST = 1e-9
"""The attention that a token counts with at least where it is divided by."""


def middle_layer(count: int) -> int:
    """The layer, from 0, that is taken of `count` where none is named.

    The released code takes 14 of LLaVA-1.5-7B's 32 layers, and 22 of Qwen2.5-VL-7B's 28.
    """
    return count // 2


def attention_layers(wanted: Sequence[int], count: int) -> list[int]:
    """The layers, from 0, whose attention counts in a model of `count`: those `wanted`, or the one in the middle.

    Raises ValueError for layers that the model does not have, and for one that comes twice.
    """
    layers = list(wanted) or [middle_layer(count)]
    if any(not 0 <= layer < count for layer in layers) or len(set(layers)) < len(layers):
        raise ValueError(f"attention layers {layers}: give different ones of 0 to {count - 1}")
    return layers


def image_map(attention: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The map of an Idefics3 image from the attention on its tokens.

    `attention` [tiles * T] is in the order of the prompt: tile by tile, row by row, and after them the global view; T
    is a square, the tokens of one tile. `rows` and `columns` of tiles are (1, 1), or (0, 0), for a single tile.

    The map f64 [rows * sqrt(T), columns * sqrt(T)] has a cell for each token of a tile. Each token of the global view
    lies over rows x columns cells, among which its attention is divided.

    Raises ValueError where the attention is not of so many tiles.
    """
    rows, columns = max(rows, 1), max(columns, 1)
    tiles = 1 if rows == columns == 1 else rows * columns + 1
    edge = math.isqrt(attention.size // tiles)
    if attention.size != tiles * edge * edge or not edge:
        raise ValueError(f"{attention.size} values are not the attention on {tiles} square tiles")
    parts = attention.astype(np.float64).reshape(tiles, edge, edge)
    if tiles == 1:
        return parts[0]
    cells = parts[:-1].reshape(rows, columns, edge, edge).swapaxes(1, 2).reshape(rows * edge, columns * edge)
    overview = parts[-1].repeat(rows, axis=0).repeat(columns, axis=1)
    return cells + overview / (rows * columns)


def relative(question: np.ndarray, general: np.ndarray) -> np.ndarray:
    """The relative attention: the question's map over the general question's, cell by cell."""
    return question / np.maximum(general, LEAST)
