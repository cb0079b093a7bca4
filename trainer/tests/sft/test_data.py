"""What supervised fine-tuning sees: examples, their order, and the loss on them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from cropvlm_trainer.contract import cropper_prompt
from cropvlm_trainer.golden.fixture import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, save_checkpoint
from cropvlm_trainer.idefics3.image_processing import load_image
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.sft import data
from cropvlm_trainer.sft.data import SftDataset, read_training_rows

ROWS = [
    {"image": "wide.png", "question": "What is the TOTAL?", "box": [12.9, 5.0, 80.99, 47.2]},
    {"image": "square.png", "question": "which line is on the left", "box": [0, 0, 9, 100]},
    {"image": "wide.png", "question": "Is <image> a word?", "box": [33.3, 61, 74, 98.7]},
]


@pytest.fixture
def examples(tmp_path) -> SftDataset:
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), tmp_path / "base", TRAINING)
    for seed, (name, height) in enumerate((("wide.png", 40), ("square.png", 120))):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, 120, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    _, processor = load_checkpoint(tmp_path / "base")
    rows, left_out = read_training_rows(tmp_path / "rows.jsonl")
    assert (rows, left_out) == (ROWS, 0)
    return SftDataset(rows, tmp_path, PromptEncoder(processor), 128, TINY.tile)


def test_an_example_is_a_prompt_and_the_truncated_box(examples):
    tokenizer = examples.encoder.tokenizer
    assert [len(examples[index].tiles) for index in range(3)] == [3, 5, 3], "1x2 and 2x2 tiles, and their overviews"
    example = examples[0]
    answer = tokenizer.decode(example.ids[example.start :])
    assert answer == " [12, 5, 80, 47].<end_of_utterance>"
    prompt = tokenizer.decode(example.ids[: example.start])
    assert prompt.startswith("<|im_start|>User:<fake_token_around_image><row_1_col_1><image>")
    assert prompt.endswith(f"{cropper_prompt('what is the total?')}<end_of_utterance>\nAssistant:")


def test_an_image_is_cut_once_while_there_is_room(examples, monkeypatch):
    opened = []
    monkeypatch.setattr(data, "load_image", lambda path: opened.append(path.name) or load_image(path))
    examples._free_bytes = 4 * TINY.tile**2 * 3
    first = [examples[index].tiles for index in range(3)]
    again = [examples[index].tiles for index in range(3)]
    assert opened == ["wide.png", "square.png", "square.png"], "five tiles do not fit where four do"
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert torch.equal(first[0], first[2])
