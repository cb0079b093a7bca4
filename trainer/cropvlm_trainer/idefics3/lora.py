"""LoRA on an Idefics3, as the paper trains it (contract, "Training")."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from torch import nn

from cropvlm_trainer.idefics3.checkpoint import TRAINING, read_training, write_json

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "fc1", "fc2", "proj")
"""By the last part of a module's name; the vision encoder's `out_proj` is not among them."""
TRAINED = "default"
"""peft's name of the adapter that is trained."""


@dataclass(frozen=True)
class LoraSettings:
    r: int = 128
    alpha: int = 256
    dropout: float = 0.05


def add_lora(model: nn.Module, settings: LoraSettings) -> PeftModel:
    """A fresh adapter, which changes nothing yet; the base is frozen. Alters `model` in place."""
    config = LoraConfig(
        r=settings.r, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=list(TARGETS)
    )
    return get_peft_model(model, config)


def load_lora(model: nn.Module, adapter: Path, settings: LoraSettings | None = None) -> PeftModel:
    """The adapter saved in a folder, to be trained on.

    Raises FileNotFoundError where there is none, ValueError where it is not of these `settings`.
    """
    if not (adapter / "adapter_config.json").exists():
        raise FileNotFoundError(f"{adapter} holds no adapter_config.json; name the folder of a LoRA adapter")
    config = PeftConfig.from_pretrained(adapter)
    found = LoraSettings(config.r, config.lora_alpha, config.lora_dropout)
    if settings and found != settings:
        raise ValueError(f"{adapter} was trained as {found}, not as {settings}; set [lora] to what the adapter has")
    return PeftModel.from_pretrained(model, adapter, adapter_name=TRAINED, is_trainable=True)


def save_lora(model: PeftModel, folder: Path, base: Path, training: dict) -> None:
    """The trained adapter alone, with `training.json` telling how it came to be: `training`, and the base's own."""
    model.save_pretrained(folder, selected_adapters=[TRAINED])
    write_json(folder / TRAINING, {**training, "base": read_training(base)})


def trainable_count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
