"""Goldens of ViCrop: the rule from attention to a box, and where the tiny model looks, by transformers alone.

The rule needs no model. Both languages add and divide in the same order, so that ties are decided alike.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from cropvlm_trainer.attention.box import attention_box, base_side
from cropvlm_trainer.attention.cropper import AttentionCropper
from cropvlm_trainer.attention.maps import image_map, relative
from cropvlm_trainer.boxes import around
from cropvlm_trainer.data.synth.test_patterns import FORMULAS, pattern_image
from cropvlm_trainer.golden.fixtures.models import ATTENTION_LAYERS, TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

SHAPES = [
    (640, 480, 0, 0, 64),
    (640, 480, 2, 2, 16),
    (1000, 300, 1, 2, 36),
    (37, 111, 4, 2, 16),
    (4000, 3000, 3, 4, 64),
]
"""Width and height in pixels, rows and columns of tiles, tokens of a tile."""
TILE = 512
KINDS = ("noise", "spot", "edge", "flat", "zero")

BOXES_MADE_BY = (
    "cropvlm_trainer.attention, rel-att with transformers' eager attention in fp32, the mean of the layers "
    f"{list(ATTENTION_LAYERS)} of the tiny model. `cells`: the relative attention, [rows, columns] as one list"
)
BOX_SIZES = [(640, 480), (300, 200), (90, 400), (1000, 100), (37, 11)]
BOX_QUESTIONS = ["What is the total?", "what number is UNDER the red Circle?", "Où est l'Étoile?"]


def attention() -> dict:
    """Returns the golden."""
    rng = np.random.default_rng(12)
    cases = [_case(rng, kind, *shape) for shape in SHAPES for kind in KINDS]
    cases += [_case(rng, "spot", *SHAPES[1], tile=tile) for tile in (8, 160, 2000)]
    made_by = "cropvlm_trainer.attention: image_map of both, relative, attention_box; `box` is `rect` rounded outwards"
    return {"made_by": made_by, "cases": cases}


def _case(
    rng: np.random.Generator, kind: str, width: int, height: int, rows: int, columns: int, tokens: int, tile: int = TILE
) -> dict:
    tiles = 1 if rows == columns == 0 else rows * columns + 1
    question, general = _values(rng, kind, tiles, tokens), np.ones(tiles * tokens)
    if kind == "zero":
        general[::3] = 0
    if kind == "noise":
        general = 2.0 ** rng.integers(-2, 3, tiles * tokens)
        general[-tokens:] = general[-1] if tiles > 1 else general[-tokens:]
    cells = relative(image_map(question, rows, columns), image_map(general, rows, columns))
    rect = attention_box(cells, width, height, base_side(cells, width, height, tile))
    case = {"kind": kind, "width": width, "height": height, "rows": rows, "cols": columns, "tile": tile}
    values = {"question": question.tolist(), "general": general.tolist()}
    return case | values | {"sum": float(cells.sum()), "rect": [round(v, 9) for v in rect], "box": around(rect)}


def _values(rng: np.random.Generator, kind: str, tiles: int, tokens: int) -> np.ndarray:
    """The attention on the tokens: `spot` is high on some neighbouring tokens, `edge` on the last of each tile."""
    if kind in ("flat", "zero"):
        return np.full(tiles * tokens, 0.25)
    values = rng.integers(1, 256, tiles * tokens) / 256
    if kind == "noise":
        return values
    values = values / 16
    at = int(rng.integers(tiles * tokens)) if kind == "spot" else tokens - 1
    values[at :: tokens if kind == "edge" else tiles * tokens] += 8
    return values


def attention_boxes(seed: int) -> dict:
    """Returns the golden: each size at one, two and four tiles' edge, with patterns and questions in turn."""
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = Path(scratch)
        save_checkpoint(tiny_model(seed), TINY, tiny_tokenizer(), checkpoint, {})
        cases = []
        for tiles in (1, 2, 4):
            cropper = AttentionCropper(checkpoint, "rel-att", tiles * TINY.tile, ATTENTION_LAYERS, device="cpu")
            for i, (width, height) in enumerate(BOX_SIZES):
                pattern, question = (
                    list(FORMULAS)[(i + tiles) % len(FORMULAS)],
                    BOX_QUESTIONS[(i + tiles) % len(BOX_QUESTIONS)],
                )
                case = {"pattern": pattern, "width": width, "height": height, "longest_edge": cropper.longest_edge}
                cases.append(_boxes_case(cropper, case | {"question": question}))
    return {"made_by": BOXES_MADE_BY, "formula": FORMULAS, "model": "tiny-attention", "cases": cases}


def _boxes_case(cropper: AttentionCropper, case: dict) -> dict:
    image = pattern_image(case["pattern"], case["width"], case["height"])
    cells = cropper.map(image, case["question"])
    rounded = [float(f"{value:.5g}") for value in cells.flatten()]
    box = cropper.box(image, case["question"])
    return case | {"rows": cells.shape[0], "cols": cells.shape[1], "cells": rounded, "box": box}
