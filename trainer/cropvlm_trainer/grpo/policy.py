"""The three models of GRPO, which share one copy of the base's weights:

- the policy: the base with the LoRA adapter that is trained; it draws the boxes;
- the reference: the base with a frozen copy of that adapter as it was before the first step; the KL penalty keeps the
  policy near it;
- the reward VLM: the base without an adapter; it answers the question with each box's crop.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.idefics3.lora import TRAINED

REFERENCE = "reference"
"""The frozen copy of the adapter is known to peft by this name."""


class Policy:
    """The base as the policy. Within `reference_model()` or `reward_model()` it is one of the other two models."""

    def __init__(self, peft_model: PeftModel, has_reference: bool = True) -> None:
        """`peft_model`: the base with the adapter to train.

        `has_reference`: whether a frozen copy of the adapter is added to it, without which there is no
        `reference_model()`.
        """
        self.peft_model = peft_model
        if has_reference:
            peft_model.add_adapter(REFERENCE, copy.deepcopy(peft_model.peft_config[TRAINED]))
            weights = get_peft_model_state_dict(peft_model, adapter_name=TRAINED)
            set_peft_model_state_dict(peft_model, weights, REFERENCE)
        self.trained_parameters = [
            parameter for name, parameter in peft_model.named_parameters() if f".{TRAINED}." in name
        ]
        self._activate(TRAINED)

    @property
    def model(self) -> Idefics3ForConditionalGeneration:
        """The Idefics3 itself. It computes with whichever adapter is active: the trained one, its copy, or none."""
        return self.peft_model.base_model.model

    @contextmanager
    def reference_model(self) -> Iterator[Idefics3ForConditionalGeneration]:
        """The reference, without dropout and without gradients."""
        self._activate(REFERENCE)
        try:
            with torch.no_grad(), _without_dropout(self.peft_model):
                yield self.model
        finally:
            self._activate(TRAINED)

    @contextmanager
    def reward_model(self) -> Iterator[Idefics3ForConditionalGeneration]:
        """The reward VLM, without dropout and without gradients."""
        # Not `PeftModel.disable_adapter()`: it first inspects all adapters, which at full size takes as long again as
        # the switch itself.
        self.peft_model.base_model.disable_adapter_layers()
        try:
            with torch.no_grad(), _without_dropout(self.peft_model):
                yield self.model
        finally:
            self.peft_model.base_model.enable_adapter_layers()
            self._activate(TRAINED)

    def _activate(self, adapter: str) -> None:
        self.peft_model.set_adapter(adapter, inference_mode=adapter == REFERENCE)
        # `set_adapter` freezes the adapters that are not active, but the trained one has to stay trainable: a step's
        # gradients are computed after the reference has been active.
        for parameter in self.trained_parameters:
            parameter.requires_grad_(True)


@contextmanager
def _without_dropout(model: torch.nn.Module) -> Iterator[None]:
    """Switches the model to evaluation, and back to the mode that it had."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
