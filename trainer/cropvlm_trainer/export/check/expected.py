"""What torch computes for a set of prompts, and how far an exported folder is from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from transformers import BatchFeature, Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.attention.torch_attention import last_attention
from cropvlm_trainer.contract import cropper_prompt, target_prompt
from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.export.check.session import OnnxModel
from cropvlm_trainer.idefics3.prompts import chat_text

NEW_TOKENS = 16

PROMPTS = [
    ("strokes", 640, 480, 1, cropper_prompt("What is the total?")),
    ("hash", 100, 300, 1, cropper_prompt("What number is under the red circle?")),
    ("blocks", 37, 11, 1, target_prompt("Which colour is on the left?")),
    ("gradient", 300, 40, 1, cropper_prompt("Where is it?")),
    ("edges", 300, 200, 2, cropper_prompt("Which line is on the right?")),
    ("strokes", 200, 150, 4, target_prompt("What is the total?")),
]
"""Test pattern, width and height in pixels, longest edge in tiles (2: 2x2 + 1 tiles, 4: 3x4 + 1), text."""


@dataclass(frozen=True)
class Prompt:
    """Images and the text after them, as torch and as onnxruntime take them."""

    inputs: BatchFeature
    """for transformers: `input_ids` [1, L], `pixel_values` f32 [1, tiles, 3, S, S], masks"""
    tiles: np.ndarray
    """for onnxruntime: uint8 [tiles, S, S, 3], the same pixels before they are normalised"""

    @property
    def ids(self) -> np.ndarray:
        """i64 [1, L]"""
        return self.inputs["input_ids"].numpy()


@dataclass(frozen=True)
class Expected:
    """What torch computes for one prompt."""

    prompt: Prompt
    image_token: int
    """id"""
    ends: frozenset[int]
    """ids that end an answer"""
    tokens: list[int]
    """the greedy answer, NEW_TOKENS at most"""
    logits: np.ndarray
    """f32 [steps, V], by which the tokens were chosen"""
    features: np.ndarray
    """f32 [tiles, T, D]"""
    attention: np.ndarray | None = None
    """f32 [layers, L]: how the prompt's last token attends to each of the prompt's; None: not wanted"""


@torch.no_grad()
def expected(
    model: Idefics3ForConditionalGeneration,
    processor: Idefics3Processor,
    prompts: int = len(PROMPTS),
    layers: Sequence[int] = (),
) -> list[Expected]:
    """What torch computes for the first `prompts` of PROMPTS; `layers`: those whose attention is wanted.

    Raises ValueError for fewer than one prompt.
    """
    if prompts < 1:
        raise ValueError(f"parity on {prompts} prompts checks nothing; give 1 to {len(PROMPTS)}")
    tile, image_token = model.config.vision_config.image_size, model.config.image_token_id
    ends = model.generation_config.eos_token_id
    ends = frozenset(ends if isinstance(ends, list) else [ends])
    cases = []
    for pattern, width, height, tiles, text in PROMPTS[:prompts]:
        prompt = make_prompt(processor, [pattern_image(pattern, width, height)], text, tiles * tile)
        attention = last_attention(model, prompt.inputs, layers).float().numpy() if layers else None
        cases.append(Expected(prompt, image_token, ends, *torch_greedy(model, prompt.inputs), attention))
    return cases


def make_prompt(processor: Idefics3Processor, images: Sequence[Image.Image], text: str, longest_edge: int) -> Prompt:
    """The prompt of these images and the text, made by transformers' processor; `longest_edge` in pixels."""
    size = {"longest_edge": longest_edge}
    inputs = processor(text=chat_text(processor, len(images), text), images=[images], size=size, return_tensors="pt")
    plain = processor.image_processor([images], size=size, do_rescale=False, do_normalize=False, return_tensors="np")
    return Prompt(inputs, plain["pixel_values"][0].transpose(0, 2, 3, 1).astype(np.uint8))


def torch_greedy(
    model: Idefics3ForConditionalGeneration, inputs: BatchFeature
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Greedy tokens, the logits f32 [steps, V] by which they were chosen, and the image features f32 [tiles, T, D]."""
    features = model.model.get_image_features(inputs["pixel_values"], inputs["pixel_attention_mask"]).pooler_output
    output = model.generate(
        **inputs, max_new_tokens=NEW_TOKENS, do_sample=False, return_dict_in_generate=True, output_logits=True
    )
    tokens = output.sequences[0, inputs["input_ids"].shape[1] :].tolist()
    return tokens, torch.cat(output.logits).float().numpy(), features.float().numpy()


def compare_attention(case: Expected, onnx_model: OnnxModel) -> float:
    """The largest difference of the attention after the prompt, over the standard deviation of torch's."""
    embeds = onnx_model.prompt(case.prompt.ids, case.prompt.tiles, case.image_token)
    found = onnx_model.attention(embeds)[0]
    return float(np.abs(found - case.attention).max() / case.attention.std())


def compare(case: Expected, onnx_model: OnnxModel) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Runs the same prompt in onnxruntime. Returns:

    - the largest differences of the features, of the prompt's logits and of the further steps' logits, each over the
      standard deviation of torch's values, [3];
    - onnxruntime's logits after torch's tokens, f32 [steps, V];
    - onnxruntime's own greedy tokens.
    """
    found, ids = onnx_model.image_features(case.prompt.tiles), case.prompt.ids
    embeds = onnx_model.embeddings(ids, found, case.image_token)
    mask = np.ones_like(ids)
    step, cache = onnx_model.decode(embeds, mask, onnx_model.empty_cache(), np.array([[ids.shape[1] - 1]]))
    steps = [step[0, 0]]
    for token in case.tokens[:-1]:
        mask = np.ones((1, mask.shape[1] + 1), dtype=np.int64)
        step, cache = onnx_model.decode(onnx_model.token_embeddings(np.array([[token]])), mask, cache)
        steps.append(step[0, 0])
    logits = np.stack(steps)
    gap = np.abs(logits - case.logits).max(axis=1) / case.logits.std()
    features = np.abs(found - case.features).max() / case.features.std()
    greedy, _ = onnx_model.generate(embeds, case.ends, NEW_TOKENS)
    return np.array([features, gap[0], gap[1:].max(initial=0.0)]), logits, greedy
