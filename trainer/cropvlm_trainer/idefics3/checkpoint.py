"""Checkpoint folders: the model with its processor's files, and `training.json`, which tells how it came to be."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoProcessor, Idefics3ForConditionalGeneration

from cropvlm_trainer.idefics3.model import Shape
from cropvlm_trainer.idefics3.tokenizer import save_tokenizer

TRAINING = "training.json"
NO_TRAINING = {"base": None, "data": None, "recipe": None, "steps": 0, "seed": None}


def save_processor_files(shape: Shape, tokenizer: Tokenizer, folder: Path) -> None:
    """Tokenizer, chat template and image-processor files, in the hub's layout."""
    save_tokenizer(tokenizer, folder)
    preprocessor = {
        "do_convert_rgb": True,
        "do_image_splitting": True,
        "do_normalize": True,
        "do_pad": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "Idefics3ImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "max_image_size": {"longest_edge": shape.tile},
        "processor_class": "Idefics3Processor",
        "resample": 1,
        "rescale_factor": 1 / 255,
        "size": {"longest_edge": 4 * shape.tile},
    }
    processor = {"image_seq_len": shape.tokens_per_tile, "processor_class": "Idefics3Processor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=2) + "\n")
    (folder / "processor_config.json").write_text(json.dumps(processor, indent=2) + "\n")


def save_checkpoint(
    model: Idefics3ForConditionalGeneration, shape: Shape, tokenizer: Tokenizer, folder: Path, training: dict
) -> None:
    """A complete transformers checkpoint, with `training.json` telling how it came to be."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    save_processor_files(shape, tokenizer, folder)
    (folder / "training.json").write_text(json.dumps({**training, "shape": asdict(shape)}, indent=2) + "\n")


def load_checkpoint(folder: Path) -> tuple[Idefics3ForConditionalGeneration, object]:
    """The model (fp32) and its processor; the folder may be any Idefics3 checkpoint.

    Raises FileNotFoundError where there is none: transformers would take `runs/base` for a model of the hub's.
    """
    if not (folder / "config.json").exists():
        raise FileNotFoundError(f"{folder} holds no config.json; name the folder of a checkpoint")
    model = Idefics3ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return model, AutoProcessor.from_pretrained(folder)


def read_training(checkpoint: Path) -> dict:
    """What `training.json` beside the weights says of how they came to be."""
    path = checkpoint / TRAINING
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else NO_TRAINING


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
