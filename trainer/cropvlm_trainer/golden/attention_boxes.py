"""Goldens of ViCrop's boxes: where the tiny model looks, by transformers alone, and the boxes that follow from it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from cropvlm_trainer.attention.cropper import AttentionCropper
from cropvlm_trainer.data.synth.test_patterns import FORMULAS, pattern_image
from cropvlm_trainer.golden.fixture import ATTENTION_LAYERS, TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

MADE_BY = (
    "cropvlm_trainer.attention, rel-att with transformers' eager attention in fp32, the mean of the layers "
    f"{list(ATTENTION_LAYERS)} of the tiny model. `cells`: the relative attention, [rows, columns] as one list"
)
SIZES = [(640, 480), (300, 200), (90, 400), (1000, 100), (37, 11)]
QUESTIONS = ["What is the total?", "what number is UNDER the red Circle?", "Où est l'Étoile?"]


def attention_boxes(seed: int) -> dict:
    """Returns the golden: each size at one, two and four tiles' edge, with patterns and questions in turn."""
    with tempfile.TemporaryDirectory() as scratch:
        checkpoint = Path(scratch)
        save_checkpoint(tiny_model(seed), TINY, tiny_tokenizer(), checkpoint, {})
        cases = []
        for tiles in (1, 2, 4):
            cropper = AttentionCropper(checkpoint, "rel-att", tiles * TINY.tile, ATTENTION_LAYERS, device="cpu")
            for i, (width, height) in enumerate(SIZES):
                pattern, question = list(FORMULAS)[(i + tiles) % len(FORMULAS)], QUESTIONS[(i + tiles) % len(QUESTIONS)]
                case = {"pattern": pattern, "width": width, "height": height, "longest_edge": cropper.longest_edge}
                cases.append(_case(cropper, case | {"question": question}))
    return {"made_by": MADE_BY, "formula": FORMULAS, "model": "tiny-attention", "cases": cases}


def _case(cropper: AttentionCropper, case: dict) -> dict:
    image = pattern_image(case["pattern"], case["width"], case["height"])
    cells = cropper.map(image, case["question"])
    rounded = [float(f"{value:.5g}") for value in cells.flatten()]
    box = cropper.box(image, case["question"])
    return case | {"rows": cells.shape[0], "cols": cells.shape[1], "cells": rounded, "box": box}
