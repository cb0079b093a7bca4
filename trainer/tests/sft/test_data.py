"""What supervised fine-tuning sees: lessons, their order, and the loss on them."""

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
from cropvlm_trainer.sft.data import Lessons, read_lessons

ROWS = [
    {"image": "wide.png", "question": "What is the TOTAL?", "box": [12.9, 5.0, 80.99, 47.2]},
    {"image": "square.png", "question": "which line is on the left", "box": [0, 0, 9, 100]},
    {"image": "wide.png", "question": "Is <image> a word?", "box": [33.3, 61, 74, 98.7]},
]


@pytest.fixture
def lessons(tmp_path) -> Lessons:
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), tmp_path / "base", TRAINING)
    for seed, (name, height) in enumerate((("wide.png", 40), ("square.png", 120))):
        pixels = np.random.default_rng(seed).integers(0, 256, (height, 120, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    _, processor = load_checkpoint(tmp_path / "base")
    rows, left_out = read_lessons(tmp_path / "rows.jsonl")
    assert (rows, left_out) == (ROWS, 0)
    return Lessons(rows, tmp_path, PromptEncoder(processor), 128, TINY.tile)


def test_a_lesson_is_a_prompt_and_the_truncated_box(lessons):
    tokenizer = lessons.encoder.tokenizer
    assert [len(lessons[index].tiles) for index in range(3)] == [3, 5, 3], "1x2 and 2x2 tiles, and their overviews"
    lesson = lessons[0]
    answer = tokenizer.decode(lesson.ids[lesson.start :])
    assert answer == " [12, 5, 80, 47].<end_of_utterance>"
    prompt = tokenizer.decode(lesson.ids[: lesson.start])
    assert prompt.startswith("<|im_start|>User:<fake_token_around_image><row_1_col_1><image>")
    assert prompt.endswith(f"{cropper_prompt('what is the total?')}<end_of_utterance>\nAssistant:")


def test_an_image_is_cut_once_while_there_is_room(lessons, monkeypatch):
    opened = []
    monkeypatch.setattr(data, "load_image", lambda path: opened.append(path.name) or load_image(path))
    lessons._room = 4 * TINY.tile**2 * 3
    first = [lessons[index].tiles for index in range(3)]
    again = [lessons[index].tiles for index in range(3)]
    assert opened == ["wide.png", "square.png", "square.png"], "five tiles do not fit where four do"
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert torch.equal(first[0], first[2])
