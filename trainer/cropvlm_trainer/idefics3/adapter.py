"""Opens what a command's `--checkpoint` may name: an Idefics3 checkpoint, or a LoRA adapter (peft) of one, its base.

An adapter is merged into the base's weights, so that the exported graphs cost no more than the base's.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from peft import PeftModel, get_peft_model_state_dict
from peft.utils import load_peft_weights
from transformers import Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.files import read_json, write_json
from cropvlm_trainer.idefics3.checkpoint import (
    ADAPTER,
    ADAPTER_WEIGHTS,
    CONFIG,
    FILE_GROUPS,
    NO_TRAINING,
    TRAINING,
    load_checkpoint,
    load_processor,
    read_training,
)
from cropvlm_trainer.idefics3.image_processing import check_resolution
from cropvlm_trainer.idefics3.model import pick_device
from cropvlm_trainer.idefics3.weights import check_weights

OpenedCheckpoint = tuple[Idefics3ForConditionalGeneration, Idefics3Processor, Path]


@contextmanager
def open_checkpoint(checkpoint: Path, base: Path | None = None) -> Iterator[OpenedCheckpoint]:
    """The model (fp32, merged), its processor, and the folder of the files that go with them.

    The folder of a merged adapter is a temporary one and is removed when the context ends.
    `base`: the folder of an adapter's base, where the adapter's own `base_model_name_or_path` does not lead to it.
    Raises FileNotFoundError where the checkpoint or the base is missing, ValueError for a base without an adapter.
    """
    if not (checkpoint / ADAPTER).exists():
        if base is not None:
            raise ValueError(f"{checkpoint} is no adapter (it holds no {ADAPTER}); leave out --base")
        model, processor = load_checkpoint(checkpoint)
        yield model, processor, checkpoint
        return
    base = find_base(checkpoint, base)
    model, _ = load_checkpoint(base)
    with tempfile.TemporaryDirectory() as scratch:
        files = Path(scratch)
        _gather_files(checkpoint, base, files)
        yield merge(model, checkpoint), load_processor(files), files


class Inference(NamedTuple):
    """A model that answers: frozen, in evaluation mode, on its device; fp32 on a CPU, bf16 on a GPU."""

    model: Idefics3ForConditionalGeneration
    processor: Idefics3Processor
    tile: int
    """edge of a tile in pixels"""
    longest_edge: int
    """of the images that it is shown, in pixels"""


def open_for_inference(
    checkpoint: Path, longest_edge: int | None = None, device: str = "auto", option: str = ""
) -> Inference:
    """Opens a checkpoint, or an adapter merged into its base, to answer with. `longest_edge` None is one tile.

    Raises FileNotFoundError where checkpoint or base is missing, ValueError for a `longest_edge` that the model cannot
    see; `option` is what its message begins with.
    """
    with open_checkpoint(checkpoint) as (model, processor, _):
        model.eval().requires_grad_(False)
    tile = model.config.vision_config.image_size
    edge = longest_edge or tile
    check_resolution(option or f"{checkpoint} cannot see images at this longest edge:", edge, tile)
    place = pick_device(device)
    model.to(place, torch.bfloat16 if place.type == "cuda" else torch.float32)
    return Inference(model, processor, tile, edge)


def weight_files(checkpoint: Path) -> list[Path]:
    """The weight files of a checkpoint; of an adapter, its own and then its base's. Raises as `find_base`."""
    folders = [checkpoint, find_base(checkpoint, None)] if (checkpoint / ADAPTER).exists() else [checkpoint]
    return [path for folder in folders for path in sorted(folder.glob("*.safetensors"))]


def merge(model: Idefics3ForConditionalGeneration, adapter: Path) -> Idefics3ForConditionalGeneration:
    """The base with the adapter's updates added to its weights; alters `model` in place.

    Raises ValueError where the adapter lacks weights that its settings name for this base, or has others: peft would
    leave these layers as the base has them. Raises as `check_weights` too.
    """
    check_weights(adapter, ADAPTER_WEIGHTS)
    merged = PeftModel.from_pretrained(model, adapter)
    wanted, there = set(get_peft_model_state_dict(merged)), set(load_peft_weights(str(adapter), device="cpu"))
    if wanted != there:
        raise ValueError(
            f"{adapter} does not fit its base: {len(wanted - there)} weights are missing, {len(there - wanted)} are of "
            f"no layer, as {min(wanted ^ there)}; name the base that it was trained on, or train it anew"
        )
    return merged.merge_and_unload(safe_merge=True)


def find_base(adapter: Path, base: Path | None) -> Path:
    """The base's folder: `base` where given, else the one that the adapter names.

    That name is tried as a path from the working directory and from the adapter's folder. Models are not fetched from
    the hub. Raises FileNotFoundError where none of these folders holds a checkpoint.
    """
    name = read_json(adapter / ADAPTER).get("base_model_name_or_path")
    places = [base] if base else [Path(name), adapter / name] if name else []
    for place in places:
        if (place / CONFIG).exists():
            return place
    tried = ", ".join(str(place) for place in places) or "it names none"
    raise FileNotFoundError(f"the base of the adapter {adapter} is not there ({tried}); name its folder with --base")


def _gather_files(adapter: Path, base: Path, out: Path) -> None:
    shutil.copyfile(base / CONFIG, out / CONFIG)
    for group in FILE_GROUPS:
        source = adapter if any((adapter / name).exists() for name in group) else base
        for name in group:
            if (source / name).exists():
                shutil.copyfile(source / name, out / name)
    if (adapter / TRAINING).exists():
        shutil.copyfile(adapter / TRAINING, out / TRAINING)
    else:
        training = {**NO_TRAINING, "base": read_training(base), "recipe": "LoRA adapter, not recorded"}
        write_json(out / TRAINING, training)
