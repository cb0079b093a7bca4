"""Three rows about two pictures, the examples that supervised fine-tuning makes of them, and a run on a tiny base."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.runs.sft import command, write_given

from cropvlm_trainer.cli import main
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, save_checkpoint
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.sft.data import SftDataset, read_training_rows


@pytest.fixture
def training_rows() -> list[dict]:
    return [
        {"image": "wide.png", "question": "What is the TOTAL?", "box": [12.9, 5.0, 80.99, 47.2]},
        {"image": "square.png", "question": "which line is on the left", "box": [0, 0, 9, 100]},
        {"image": "wide.png", "question": "Is <image> a word?", "box": [33.3, 61, 74, 98.7]},
    ]


@pytest.fixture
def examples(tmp_path, training_rows) -> SftDataset:
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), tmp_path / "base", TRAINING)
    for seed, (name, height) in enumerate((("wide.png", 40), ("square.png", 120))):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, 120, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in training_rows))
    _, processor = load_checkpoint(tmp_path / "base")
    rows, left_out = read_training_rows(tmp_path / "rows.jsonl")
    assert (rows, left_out) == (training_rows, 0)
    return SftDataset(rows, tmp_path, PromptEncoder(processor), 128, TINY.tile)


@pytest.fixture(scope="session")
def given(tmp_path_factory) -> Path:
    """`base` and `pages`."""
    return write_given(tmp_path_factory.mktemp("given"))


@pytest.fixture(scope="session")
def whole(given, tmp_path_factory) -> Path:
    """A run from its first step to its last, which no test changes."""
    out = tmp_path_factory.mktemp("whole")
    assert main(command(given, out, sample_every=4)) == 0
    return out
