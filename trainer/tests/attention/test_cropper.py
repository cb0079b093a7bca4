"""Boxes from where a checkpoint looks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from cropvlm_trainer.attention.cropper import AttentionCropper
from cropvlm_trainer.attention.maps import GENERAL_QUESTION, image_map, relative
from cropvlm_trainer.boxes import is_box
from cropvlm_trainer.contract import target_prompt
from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

IMAGE = pattern_image("strokes", 640, 480)
QUESTION = "what IS the total?"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(tiny_model(3), TINY, tiny_tokenizer(), folder, {})
    return folder


@pytest.fixture(scope="module")
def cropper(checkpoint: Path) -> AttentionCropper:
    return AttentionCropper(checkpoint, "rel-att", 128, [1, 0])


def raw(cropper: AttentionCropper, text: str) -> np.ndarray:
    """The map by transformers alone: the last token's attention, by hand."""
    content = [{"type": "image"}, {"type": "text", "text": text}]
    chat = cropper.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    inputs = cropper.processor(text=chat, images=[[IMAGE]], size={"longest_edge": 128}, return_tensors="pt")
    cropper.model.set_attn_implementation("eager")
    with torch.no_grad():
        attentions = cropper.model(**inputs, output_attentions=True).attentions
    cropper.model.set_attn_implementation("sdpa")
    last = (attentions[0][0, :, -1] + attentions[1][0, :, -1]).mean(dim=0) / 2
    return image_map(last[inputs["input_ids"][0] == cropper.processor.image_token_id].numpy(), 2, 2)


def test_relative_attention_is_of_two_prompts(cropper: AttentionCropper) -> None:
    asked = raw(cropper, target_prompt(QUESTION))
    general = raw(cropper, "Write a general description of the image.\nGive a very brief answer.")
    assert asked.shape == (8, 8)
    np.testing.assert_allclose(cropper.map(IMAGE, QUESTION), relative(asked, general), rtol=1e-3)


def test_the_general_map_of_an_image_is_computed_once(cropper: AttentionCropper, monkeypatch) -> None:
    asked = []
    inputs = AttentionCropper._inputs
    monkeypatch.setattr(
        AttentionCropper, "_inputs", lambda self, image, text: asked.append(text) or inputs(self, image, text)
    )
    images = [pattern_image("hash", 90, 60), pattern_image("blocks", 60, 90)]
    found = list(
        cropper.boxes([(lambda image=image: image, q) for q in ("One?", "Two?", "Three?") for image in images])
    )
    general = target_prompt(GENERAL_QUESTION)
    assert (len(asked), asked.count(general)) == (6 + 2, 2), "three questions of two images"
    fresh = AttentionCropper.box
    cropper._general.clear()
    assert found == [fresh(cropper, image, q) for q in ("One?", "Two?", "Three?") for image in images]


@pytest.mark.parametrize("method", ["rel-att", "grad-att"])
@pytest.mark.parametrize("edge", [None, 64, 256])
def test_boxes(checkpoint: Path, method: str, edge: int | None) -> None:
    cropper = AttentionCropper(checkpoint, method, edge)
    assert cropper.layers == [1]
    questions = [(lambda: IMAGE, QUESTION), (lambda: pattern_image("hash", 90, 400), QUESTION)]
    boxes = list(cropper.boxes(questions))
    assert all(is_box(box) for box in boxes)
    # of 640 pixels, the smallest side is the tile's 64, or a cell's: 160 of one tile, 80 of 2 x 2
    least = {None: 160, 64: 160, 256: 64}[edge] / 6.4
    assert least <= boxes[0][2] - boxes[0][0] <= 2 * least + 1


def test_what_there_is_not(checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="unknown method 'att'; known are rel-att, grad-att"):
        AttentionCropper(checkpoint, "att")
    with pytest.raises(ValueError, match="give different ones of 0 to 1"):
        AttentionCropper(checkpoint, "rel-att", layers=[2])
    with pytest.raises(ValueError, match="cannot see images at this longest edge: 100"):
        AttentionCropper(checkpoint, "rel-att", 100)
