"""Gradient checkpointing of the vision tower, as a run's `prepare` sets it up: less is kept, the gradients stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_tokenizer
from cropvlm_trainer.grpo.step import Step
from cropvlm_trainer.grpo.train import prepare
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.lora import LoraSettings
from cropvlm_trainer.idefics3.model import build_model
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.training.stages import GrpoConfig

SHAPE = replace(TINY, vision_layers=6)
EXAMPLES = [Example(pattern_image("strokes", 90, 70), "What is the total?", ["7"])]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    folder, tokenizer = tmp_path_factory.mktemp("base"), tiny_tokenizer()
    save_checkpoint(build_model(SHAPE, tokenizer, 3), SHAPE, tokenizer, folder, TRAINING)
    return folder


def step_of(base: Path, checkpointing: bool, dropout: float) -> Step:
    settings = LoraSettings(r=4, alpha=8, dropout=dropout)
    config = GrpoConfig(
        base=base,
        data=Path("none"),
        out=Path("none"),
        resolution=128,
        reward_resolution=64,
        max_new_tokens=6,
        precision="fp32",
        gradient_checkpointing=checkpointing,
        lora=settings,
    )
    policy, step = prepare(config, torch.device("cpu"))
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in policy.trained_parameters:
            # B starts at 0, and A would get no gradient.
            parameter.normal_(0, 0.2, generator=generator)
    # Boxes of random weights are none: rewards of another kind, so that there are advantages.
    step.reward = lambda examples, boxes: {"place": torch.arange(6.0)[None]}
    return step


class Kept:
    """Bytes that stay in memory for the backward pass, weights aside; each storage once."""

    def __init__(self, model: torch.nn.Module) -> None:
        self.weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
        self.storages: dict[int, torch.UntypedStorage] = {}
        # What a checkpointed layer is run on anew is kept by its closure, past all hooks.
        for layer in model.model.vision_model.encoder.layers:
            layer.register_forward_pre_hook(lambda _, args, kwargs: self.see(*args, *kwargs.values()), with_kwargs=True)

    def see(self, *tensors) -> None:
        for tensor in tensors:
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in self.weights:
                    self.storages[storage.data_ptr()] = storage

    def pack(self, tensor: torch.Tensor) -> torch.Tensor:
        self.see(tensor)
        return tensor

    @property
    def bytes(self) -> int:
        return sum(storage.nbytes() for storage in self.storages.values())


def kept_by_vision(base: Path, checkpointing: bool) -> int:
    step = step_of(base, checkpointing, 0.05)
    model = step.policy.model
    kept = Kept(model)
    tiles = EXAMPLES[0].tiles(128, TINY.tile)
    with saved_tensors_hooks(kept.pack, lambda tensor: tensor):
        features = encode_tiles(model, tiles)
    assert features.requires_grad
    return kept.bytes


def test_the_vision_tower_keeps_its_layers_inputs_alone(base):
    whole, checkpointed = kept_by_vision(base, False), kept_by_vision(base, True)
    tokens = 5 * (TINY.tile // TINY.patch) ** 2
    inputs = SHAPE.vision_layers * tokens * TINY.vision_width * 4
    assert checkpointed < whole / 10, (whole, checkpointed)
    assert inputs < checkpointed < 3 * inputs, "the rest is the connector's"


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_gradients_are_the_same(base, dropout):
    found = []
    for checkpointing in (False, True):
        step = step_of(base, checkpointing, dropout)
        torch.manual_seed(11)
        loss, _ = step(EXAMPLES, [torch.Generator().manual_seed(1)])
        loss.backward()
        vision = {
            n: p.grad for n, p in step.policy.peft_model.named_parameters() if "vision" in n and p.grad is not None
        }
        found.append((loss.detach(), step.outcome.boxes, [p.grad for p in step.policy.trained_parameters], vision))
    (loss, boxes, whole, vision), (other_loss, other_boxes, checkpointed, other_vision) = found
    assert boxes == other_boxes and vision.keys() == other_vision.keys()
    assert len(vision) == SHAPE.vision_layers * 5 * 2, "q, k, v, fc1 and fc2 of each layer, A and B"
    torch.testing.assert_close(other_loss, loss, atol=1e-6, rtol=1e-6)
    for gradient, other in zip(whole, checkpointed, strict=True):
        torch.testing.assert_close(other, gradient, atol=1e-6, rtol=1e-5)
    assert max(gradient.abs().max() for gradient in vision.values()) > 1e-3, "much larger than what they may differ by"
