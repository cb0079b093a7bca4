from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from cropvlm_trainer.golden.fixture import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, save_checkpoint
from cropvlm_trainer.idefics3.image_processing import load_image
from cropvlm_trainer.idefics3.lora import LoraSettings
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.sft.data import SftDataset, read_training_rows
from cropvlm_trainer.sft.learner import Collator, make_learner

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


def test_the_loss_is_the_models_own_cross_entropy(examples, tmp_path):
    """transformers' processor and forward on each question by itself, with labels on the answer alone."""
    model, processor = load_checkpoint(tmp_path / "base")
    losses, counts = [], []
    for row, example in zip(ROWS, (examples[i] for i in range(3)), strict=True):
        image = load_image(tmp_path / row["image"])
        seen = processor.image_processor([[image]], size={"longest_edge": 128}, return_tensors="pt")
        ids = torch.tensor([example.ids])
        labels = ids.clone()
        labels[:, : example.start] = -100
        with torch.no_grad():
            losses.append(model(input_ids=ids, labels=labels, pixel_values=seen["pixel_values"]).loss)
        counts.append(len(example.ids) - example.start)
    assert len(set(counts)) > 1, "the mean over tokens is not the mean over questions"
    mean = sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)
    model.set_attn_implementation("eager")
    learner = make_learner(model, LoraSettings(4, 8, 0.0), gradient_checkpointing=False)
    collate = Collator(processor)
    with torch.no_grad():
        whole = learner(**collate([examples[i] for i in range(3)]))["loss"]
        parts = [learner(**collate([examples[i]]), num_items_in_batch=sum(counts))["loss"] for i in range(3)]
    assert whole.item() == pytest.approx(mean.item(), rel=1e-5)
    assert sum(parts).item() == pytest.approx(mean.item(), rel=1e-5)
