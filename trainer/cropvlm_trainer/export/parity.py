"""Does the exported folder say what torch says? Features, prompt and step logits, and greedy tokens, compared."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.contract import cropper_prompt, target_prompt
from cropvlm_trainer.export.session import OnnxModel
from cropvlm_trainer.patterns import pattern_image

NEW_TOKENS = 16
PROMPTS = [
    ("strokes", 640, 480, cropper_prompt("What is the total?")),
    ("hash", 100, 300, cropper_prompt("What number is under the red circle?")),
    ("blocks", 37, 11, target_prompt("Which colour is on the left?")),
    ("gradient", 300, 40, cropper_prompt("Where is it?")),
]


class ParityError(ValueError):
    """The exported graphs and torch differ by more than the tolerance."""


@dataclass(frozen=True)
class Parity:
    """Largest absolute differences from torch; logits over the spread of torch's (their standard deviation)."""

    features: float
    prefill: float
    decode: float
    greedy_equal: str


@torch.no_grad()
def check_parity(
    model: Idefics3ForConditionalGeneration,
    processor: Idefics3Processor,
    folder: Path,
    *,
    suffix: str = "",
    tolerance: float = 1e-3,
    prompts: int = len(PROMPTS),
) -> dict:
    """Runs both on pictures of one tile; raises ParityError, saying where, when they differ."""
    onnx_model, worst, equal = OnnxModel(folder, suffix), np.zeros(3), 0
    tile = model.config.vision_config.image_size
    for pattern, width, height, text in PROMPTS[:prompts]:
        content = [{"type": "image"}, {"type": "text", "text": text}]
        prompt = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        image = pattern_image(pattern, width, height)
        inputs = processor(text=prompt, images=[image], size={"longest_edge": tile}, return_tensors="pt")
        tokens, logits, features = torch_greedy(model, inputs)
        differences, found = _compare(model, onnx_model, inputs, tokens, logits, features)
        worst = np.maximum(worst, differences)
        equal += found == tokens or _tie(found, tokens, logits, tolerance)
    parity = Parity(*(float(f"{d:.2e}") for d in worst), f"{equal}/{prompts}")
    if not np.all(worst <= tolerance) or equal < prompts:
        raise ParityError(
            f"the exported graphs in {folder} differ from torch: {asdict(parity)}, tolerance {tolerance}; "
            "a looser --tolerance is no cure unless the precision explains the difference"
        )
    return asdict(parity)


def torch_greedy(model: Idefics3ForConditionalGeneration, inputs: dict) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Greedy tokens, the logits [steps, V] that chose them, and the image features [tiles, T, D], by transformers."""
    features = model.model.get_image_features(inputs["pixel_values"], inputs["pixel_attention_mask"]).pooler_output
    made = model.generate(
        **inputs, max_new_tokens=NEW_TOKENS, do_sample=False, return_dict_in_generate=True, output_logits=True
    )
    tokens = made.sequences[0, inputs["input_ids"].shape[1] :].tolist()
    return tokens, torch.cat(made.logits).float().numpy(), features.float().numpy()


def _compare(model, onnx_model: OnnxModel, inputs: dict, tokens: list[int], logits, features) -> tuple[tuple, list]:
    """Differences of features, prompt logits and step logits (torch's tokens fed), and onnx's own greedy tokens."""
    found = onnx_model.image_features(inputs["pixel_values"][0].numpy())
    ids, image_token = inputs["input_ids"].numpy(), model.config.image_token_id
    embeds = onnx_model.embeddings(ids, found, image_token)
    mask = np.ones_like(ids)
    step, cache = onnx_model.decode(embeds, mask, onnx_model.empty_cache(), np.array([[ids.shape[1] - 1]]))
    steps = [step[0, 0]]
    for token in tokens[:-1]:
        mask = np.ones((1, mask.shape[1] + 1), dtype=np.int64)
        step, cache = onnx_model.decode(onnx_model.embeddings(np.array([[token]]), None, image_token), mask, cache)
        steps.append(step[0, 0])
    gap = np.abs(np.stack(steps) - logits).max(axis=1) / logits.std()
    ends = _end_tokens(model)
    greedy, _ = onnx_model.generate(embeds, ends, NEW_TOKENS)
    return (np.abs(found - features).max() / features.std(), gap[0], gap[1:].max(initial=0.0)), greedy


def _end_tokens(model: Idefics3ForConditionalGeneration) -> set[int]:
    ends = model.generation_config.eos_token_id
    return set(ends) if isinstance(ends, list) else {ends}


def _tie(found: list[int], tokens: list[int], logits: np.ndarray, tolerance: float) -> bool:
    """Whether the first token that differs was as good as torch's, within what arithmetic may change."""
    at = next((i for i, pair in enumerate(zip(found, tokens, strict=False)) if pair[0] != pair[1]), None)
    return at is not None and logits[at][tokens[at]] - logits[at][found[at]] <= 2 * tolerance * logits.std()
