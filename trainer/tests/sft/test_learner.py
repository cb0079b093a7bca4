from __future__ import annotations

import pytest
import torch

from cropvlm_trainer.idefics3.checkpoint import load_checkpoint
from cropvlm_trainer.idefics3.lora import LoraSettings
from cropvlm_trainer.pictures import open_picture
from cropvlm_trainer.sft.learner import Collator, make_learner


def test_the_loss_is_the_models_own_cross_entropy(examples, training_rows, tmp_path):
    """transformers' processor and forward on each question by itself, with labels on the answer alone."""
    model, processor = load_checkpoint(tmp_path / "base")
    losses, counts = [], []
    for row, example in zip(training_rows, (examples[i] for i in range(3)), strict=True):
        image = open_picture(tmp_path / row["image"])
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
