"""What `export --checkpoint` may name: an Idefics3 checkpoint, or a LoRA adapter (peft) beside its base.

An adapter is merged into the base's weights, so that the exported graphs cost nothing more than the base's.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peft import PeftModel
from transformers import AutoProcessor, Idefics3ForConditionalGeneration, Idefics3Processor

from cropvlm_trainer.idefics3.checkpoint import NO_TRAINING, TRAINING, load_checkpoint, read_training, write_json

ADAPTER = "adapter_config.json"
FAMILIES = (
    ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    ("preprocessor_config.json", "processor_config.json"),
    ("chat_template.json", "chat_template.jinja"),
    ("generation_config.json",),
)
"""Files that make sense together only: the adapter's, where it has one of them, else the base's."""

Opened = tuple[Idefics3ForConditionalGeneration, Idefics3Processor, Path]


@contextmanager
def open_checkpoint(checkpoint: Path, base: Path | None = None) -> Iterator[Opened]:
    """The model (fp32, merged), its processor, and a folder of the files that go with it, for as long as it is open.

    `base`: of an adapter, where its own `base_model_name_or_path` does not lead to it.
    Raises FileNotFoundError where checkpoint or base is missing, ValueError for a base that nothing asks for.
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
        _gather(checkpoint, base, files)
        yield merge(model, checkpoint), AutoProcessor.from_pretrained(files), files


def merge(model: Idefics3ForConditionalGeneration, adapter: Path) -> Idefics3ForConditionalGeneration:
    """The base with the adapter's updates added to its weights; alters `model` in place."""
    return PeftModel.from_pretrained(model, adapter).merge_and_unload(safe_merge=True)


def find_base(adapter: Path, base: Path | None) -> Path:
    """The base's folder: as given, or as the adapter names it, seen from here or from the adapter's folder.

    Names of the hub's are not fetched. Raises FileNotFoundError where no such folder holds a checkpoint.
    """
    named = json.loads((adapter / ADAPTER).read_text(encoding="utf-8")).get("base_model_name_or_path")
    places = [base] if base else [Path(named), adapter / named] if named else []
    for place in places:
        if (place / "config.json").exists():
            return place
    tried = ", ".join(str(place) for place in places) or "it names none"
    raise FileNotFoundError(f"the base of the adapter {adapter} is not there ({tried}); name its folder with --base")


def _gather(adapter: Path, base: Path, out: Path) -> None:
    shutil.copyfile(base / "config.json", out / "config.json")
    for family in FAMILIES:
        source = adapter if any((adapter / name).exists() for name in family) else base
        for name in family:
            if (source / name).exists():
                shutil.copyfile(source / name, out / name)
    if (adapter / TRAINING).exists():
        shutil.copyfile(adapter / TRAINING, out / TRAINING)
    else:
        record = {**NO_TRAINING, "base": read_training(base), "recipe": "LoRA adapter, not recorded"}
        write_json(out / TRAINING, record)
