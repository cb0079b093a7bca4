"""Checkpoint folders: a model with its tokenizer's and processor's files, and `training.json`.

`training.json` records how the weights came to be: the stage, its settings, and the record of the base.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoProcessor, Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.contract import CHAT_TEMPLATE, END_OF_UTTERANCE
from cropvlm_trainer.files import read_json, write_json
from cropvlm_trainer.idefics3.model import Shape
from cropvlm_trainer.idefics3.weights import check_weights

CONFIG, ADAPTER, TRAINING = "config.json", "adapter_config.json", "training.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
FILE_GROUPS = (
    ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    ("preprocessor_config.json", "processor_config.json"),
    ("chat_template.json", "chat_template.jinja"),
    ("generation_config.json",),
)
"""The files beside `CONFIG` and the weights that a checkpoint may have; those of a group belong together."""
NO_TRAINING = {"base": None, "data": None, "recipe": None, "steps": 0, "seed": None}
"""The record of a checkpoint without `training.json`."""


def save_checkpoint(
    model: Idefics3ForConditionalGeneration, shape: Shape, tokenizer: Tokenizer, folder: Path, training: dict
) -> None:
    """Writes a complete transformers checkpoint, and `training` with the shape as `training.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    save_processor_files(shape, tokenizer, folder)
    write_json(folder / TRAINING, {**training, "shape": asdict(shape)})


def save_processor_files(shape: Shape, tokenizer: Tokenizer, folder: Path) -> None:
    """Writes the files of tokenizer, chat template and image processor under the names that the hub has for them."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    special_tokens = {
        "bos_token": "<|im_start|>",
        "eos_token": END_OF_UTTERANCE,
        "pad_token": "<|im_end|>",
        "unk_token": "<|endoftext|>",
        "additional_special_tokens": ["<fake_token_around_image>", "<image>", END_OF_UTTERANCE],
    }
    write_json(folder / "special_tokens_map.json", special_tokens)
    write_json(
        folder / "tokenizer_config.json",
        {
            **special_tokens,
            "clean_up_tokenization_spaces": False,
            "model_max_length": 8192,
            "processor_class": "Idefics3Processor",
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    )
    write_json(folder / "chat_template.json", {"chat_template": CHAT_TEMPLATE})
    write_json(
        folder / "preprocessor_config.json",
        {
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
        },
    )
    processor = {"image_seq_len": shape.tokens_per_tile, "processor_class": "Idefics3Processor"}
    write_json(folder / "processor_config.json", processor)


def load_checkpoint(folder: Path) -> tuple[Idefics3ForConditionalGeneration, Idefics3Processor]:
    """The model in fp32, and its processor. The folder may hold any Idefics3 checkpoint.

    Raises FileNotFoundError where it holds none: transformers would take `runs/base` for a model's name on the hub.
    Raises ValueError for weights that are not safetensors.
    """
    if not (folder / CONFIG).exists():
        raise FileNotFoundError(f"{folder} holds no config.json; name the folder of a checkpoint")
    check_weights(folder)
    model = Idefics3ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, use_safetensors=True)
    return model, load_processor(folder)


def load_processor(folder: Path) -> Idefics3Processor:
    """The processor of a checkpoint. Code that the folder may hold is never run."""
    return AutoProcessor.from_pretrained(folder, trust_remote_code=False)


def read_training(checkpoint: Path) -> dict:
    """What the folder's `training.json` says; `NO_TRAINING` without one."""
    path = checkpoint / TRAINING
    return read_json(path) if path.exists() else NO_TRAINING
