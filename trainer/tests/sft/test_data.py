"""What supervised fine-tuning sees: lessons, their order, and the loss on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cropvlm_trainer.contract import cropper_prompt
from cropvlm_trainer.golden.fixture import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, save_checkpoint
from cropvlm_trainer.idefics3.image_processing import load_image
from cropvlm_trainer.idefics3.lora import LoraSettings
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.sft import data
from cropvlm_trainer.sft.data import Lessons, read_lessons
from cropvlm_trainer.sft.learner import Collator, add_learner
from cropvlm_trainer.sft.train import last_checkpoint, step_of
from cropvlm_trainer.training.order import shuffled

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


def test_the_loss_is_the_models_own_cross_entropy(lessons, tmp_path):
    """transformers' processor and forward on each question by itself, with labels on the answer alone."""
    model, processor = load_checkpoint(tmp_path / "base")
    losses, counts = [], []
    for row, lesson in zip(ROWS, (lessons[i] for i in range(3)), strict=True):
        image = load_image(tmp_path / row["image"])
        seen = processor.image_processor([[image]], size={"longest_edge": 128}, return_tensors="pt")
        ids = torch.tensor([lesson.ids])
        labels = ids.clone()
        labels[:, : lesson.start] = -100
        with torch.no_grad():
            losses.append(model(input_ids=ids, labels=labels, pixel_values=seen["pixel_values"]).loss)
        counts.append(len(lesson.ids) - lesson.start)
    assert len(set(counts)) > 1, "the mean over tokens is not the mean over questions"
    mean = sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)
    model.set_attn_implementation("eager")
    learner = add_learner(model, LoraSettings(4, 8, 0.0), gradient_checkpointing=False)
    collate = Collator(processor)
    with torch.no_grad():
        whole = learner(**collate([lessons[i] for i in range(3)]))["loss"]
        parts = [learner(**collate([lessons[i]]), num_items_in_batch=sum(counts))["loss"] for i in range(3)]
    assert whole.item() == pytest.approx(mean.item(), rel=1e-5)
    assert sum(parts).item() == pytest.approx(mean.item(), rel=1e-5)


def test_an_image_is_cut_once_while_there_is_room(lessons, monkeypatch):
    opened = []
    monkeypatch.setattr(data, "load_image", lambda path: opened.append(path.name) or load_image(path))
    lessons._room = 4 * TINY.tile**2 * 3
    first = [lessons[index].tiles for index in range(3)]
    again = [lessons[index].tiles for index in range(3)]
    assert opened == ["wide.png", "square.png", "square.png"], "five tiles do not fit where four do"
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert torch.equal(first[0], first[2])


def test_each_epoch_has_an_order_of_its_own():
    rows = [{"id": number} for number in range(7)]
    order = [row["id"] for row in shuffled(rows, 2, 3, seed=1)]
    first, second = order[:6], order[6:]
    assert len(order) == 12 and len(set(first)) == len(set(second)) == 6
    assert first != second and first != sorted(first)
    assert order == [row["id"] for row in shuffled(rows, 2, 3, seed=1)]
    assert order != [row["id"] for row in shuffled(rows, 2, 3, seed=2)]
    assert shuffled(rows, 2, 8, seed=1) == []


def test_the_last_whole_checkpoint_counts(tmp_path):
    assert last_checkpoint(tmp_path / "state") is None and step_of(None) == 0
    for step, content in (("50", "{}"), ("100", "{}"), ("150", '{"epoch'), ("200", None)):
        folder: Path = tmp_path / "state" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        if content is not None:
            (folder / "trainer_state.json").write_text(content)
    assert last_checkpoint(tmp_path / "state").name == "checkpoint-100"
    assert step_of(last_checkpoint(tmp_path / "state")) == 100
