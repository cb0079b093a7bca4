"""One base model in three parts: the policy, its frozen reference, and the reward VLM.

The policy is the base with the adapter that is trained; the reference is the base with a frozen copy of that adapter
as training found it; the reward VLM is the base alone. One copy of the weights serves all three.
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


class Policy:
    def __init__(self, model: PeftModel) -> None:
        """`model`: the base with the adapter to train; gets a frozen copy of that adapter beside it."""
        self.peft = model
        model.add_adapter(REFERENCE, copy.deepcopy(model.peft_config[TRAINED]))
        set_peft_model_state_dict(model, get_peft_model_state_dict(model, adapter_name=TRAINED), REFERENCE)
        self.trained = [parameter for name, parameter in model.named_parameters() if f".{TRAINED}." in name]
        self._play(TRAINED)

    @property
    def model(self) -> Idefics3ForConditionalGeneration:
        """The Idefics3 inside, in the part that is being played."""
        return self.peft.base_model.model

    @contextmanager
    def reference(self) -> Iterator[Idefics3ForConditionalGeneration]:
        self._play(REFERENCE)
        try:
            with torch.no_grad(), _evaluating(self.peft):
                yield self.model
        finally:
            self._play(TRAINED)

    @contextmanager
    def reward_model(self) -> Iterator[Idefics3ForConditionalGeneration]:
        # Not `PeftModel.disable_adapter`: it first takes stock of all adapters, at full size half of the switch's time.
        self.peft.base_model.disable_adapter_layers()
        try:
            with torch.no_grad(), _evaluating(self.peft):
                yield self.model
        finally:
            self.peft.base_model.enable_adapter_layers()
            self._play(TRAINED)

    def _play(self, adapter: str) -> None:
        self.peft.set_adapter(adapter, inference_mode=adapter == REFERENCE)
        for parameter in self.trained:
            parameter.requires_grad_(True)


@contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Without dropout."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
