"""The small model that a run starts from, of a folder that `export` wrote or of a checkpoint, with new tiles."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from tokenizers import Tokenizer
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.files import read_json
from cropvlm_trainer.full_sft.config import FullSftConfig
from cropvlm_trainer.full_sft.from_export import load_export, shape_of
from cropvlm_trainer.full_sft.retile import check_tile, retiled
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint
from cropvlm_trainer.idefics3.model import Shape, build_model

EXPORTED, TOKENIZER = "cropvlm.json", "tokenizer.json"
Model = tuple[Idefics3ForConditionalGeneration, Shape, Tokenizer]
"""a model, its shape, and its tokenizer"""


def begin(config: FullSftConfig) -> Model:
    """Returns the model that a run starts from: the base's, or one of `config.shape` with random weights.

    Raises as `load_base`.
    """
    if config.shape is None:
        return load_base(config.base, config.tile, config.patch)
    shape = Shape(tile=config.tile, patch=config.patch, **asdict(config.shape))
    check_tile(shape)
    if not (file := config.base / TOKENIZER).is_file():
        raise FileNotFoundError(f"base = {config.base} holds no {TOKENIZER}; name a model folder")
    tokenizer = Tokenizer.from_file(str(file))
    return build_model(shape, tokenizer, config.seed), shape, tokenizer


def load_base(folder: Path, tile: int, patch: int) -> Model:
    """Returns the model for tiles of `tile` and patches of `patch` pixels, its shape, and its tokenizer.

    Raises FileNotFoundError and ValueError for a folder that holds no small model, and as `retiled`.
    """
    if (folder / EXPORTED).is_file():
        model, shape, tokenizer = load_export(folder)
    else:
        model, processor = load_checkpoint(folder)
        shape, tokenizer = shape_of(read_json(folder / "config.json")), processor.tokenizer.backend_tokenizer
    larger, larger_shape = retiled(model, shape, tokenizer, tile, patch)
    return larger, larger_shape, tokenizer


def base_files(config: FullSftConfig) -> list[Path]:
    """Returns the files and folders of the base that `begin` reads, as `training.identity.contents` takes them."""
    if config.shape is not None:
        return [config.base / TOKENIZER]
    if (config.base / EXPORTED).is_file():
        return [config.base / "config.json", config.base / TOKENIZER, *sorted(config.base.glob("onnx/*.onnx"))]
    return [config.base]
