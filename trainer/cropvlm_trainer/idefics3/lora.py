"""LoRA on an Idefics3, as the paper trains it (Section 4.1)."""

from __future__ import annotations

from pathlib import Path

from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from torch import nn

from cropvlm_trainer.files import write_json
from cropvlm_trainer.idefics3.checkpoint import ADAPTER, ADAPTER_WEIGHTS, TRAINING, read_training
from cropvlm_trainer.idefics3.lora_settings import LoraSettings
from cropvlm_trainer.idefics3.weights import check_weights

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "fc1", "fc2", "proj")
"""The linear layers that are adapted, by the last part of their name. The vision encoder's `out_proj` is not one."""
TRAINED = "default"
"""peft's name of the adapter that is trained."""


def add_lora(model: nn.Module, settings: LoraSettings) -> PeftModel:
    """Adds a new adapter, which changes no output yet, and freezes the base. Alters `model` in place."""
    config = LoraConfig(
        r=settings.r, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=list(TARGETS)
    )
    return get_peft_model(model, config)


def load_lora(model: nn.Module, adapter: Path, settings: LoraSettings | None = None) -> PeftModel:
    """Adds the adapter saved in the folder `adapter`, to be trained further. Alters `model` in place.

    Raises FileNotFoundError where there is none, and ValueError where its settings are not `settings` (None: any) and
    for weights that are not safetensors.
    """
    if not (adapter / ADAPTER).exists():
        raise FileNotFoundError(f"{adapter} holds no {ADAPTER}; name the folder of a LoRA adapter")
    check_weights(adapter, ADAPTER_WEIGHTS)
    config = PeftConfig.from_pretrained(adapter)
    found = LoraSettings(config.r, config.lora_alpha, config.lora_dropout)
    if settings and found != settings:
        raise ValueError(f"{adapter} was trained as {found}, not as {settings}; set [lora] to what the adapter has")
    return PeftModel.from_pretrained(model, adapter, adapter_name=TRAINED, is_trainable=True)


def save_lora(model: PeftModel, folder: Path, base: Path, training: dict) -> None:
    """Writes the trained adapter and `training.json`: `training`, and under `base` what the base's own file says."""
    model.save_pretrained(folder, selected_adapters=[TRAINED])
    write_json(folder / TRAINING, {**training, "base": read_training(base)})
