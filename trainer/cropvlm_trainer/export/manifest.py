"""What a model folder has beside its graphs: Hugging Face files, and the manifest `cropvlm.json` with all sha256."""

import hashlib
import re
import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from transformers import Idefics3Processor

from cropvlm_trainer.contract import PROMPT_CONTRACT
from cropvlm_trainer.files import write_json
from cropvlm_trainer.idefics3.checkpoint import CONFIG, FILE_GROUPS

MANIFEST = "cropvlm.json"
FORMAT = 2
"""Version of the manifest's fields; the service refuses others."""
COPIED = (CONFIG, *chain.from_iterable(FILE_GROUPS))
"""Files that are taken from the checkpoint, those of them that it has."""


_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9_.+/ -]{0,127}")
_WARNING = re.compile(r"[^\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]{0,2000}")


def check_words(model_id: str, warning: str | None) -> None:
    """Raises ValueError for an id or a warning that the service would refuse, before the export takes its minutes."""
    if not _ID.fullmatch(model_id):
        raise ValueError(
            f"--id {model_id!r}: give a name of at most 128 letters, digits and . _ + / -, without two dots in a row"
        )
    if not _WARNING.fullmatch(warning or ""):
        raise ValueError("--warning: give at most 2000 characters in one line, without control characters")


def copy_hub_files(checkpoint: Path, processor: Idefics3Processor, out: Path) -> None:
    """Copies the files that the engine reads.

    transformers 5 merges some of them into others when it saves a processor; these are written from the processor.
    """
    for name in COPIED:
        if (checkpoint / name).exists():
            shutil.copyfile(checkpoint / name, out / name)
    if not (out / "preprocessor_config.json").exists():
        write_json(out / "preprocessor_config.json", processor.image_processor.to_dict())
        merged = {"image_seq_len": processor.image_seq_len, "processor_class": "Idefics3Processor"}
        write_json(out / "processor_config.json", merged)
    if not any((out / name).exists() for name in ("chat_template.json", "chat_template.jinja")):
        write_json(out / "chat_template.json", {"chat_template": processor.chat_template})


def tile_resolutions(processor: Idefics3Processor) -> list[int]:
    """The longest edges of 1, 2 and 4 tiles in pixels, up to the processor's own."""
    tile, longest = (
        processor.image_processor.max_image_size["longest_edge"],
        processor.image_processor.size["longest_edge"],
    )
    return [tile * n for n in (1, 2, 4) if tile * n <= max(longest, tile)]


def write_manifest(
    out: Path,
    *,
    model_id: str,
    role: str,
    resolutions: list[int],
    precisions: list[str],
    training: dict,
    scores: dict,
    warning: str | None = None,
    attention: Sequence[int] = (),
) -> dict:
    """Writes and returns the manifest of all files in `out`. The first resolution and precision are the defaults.

    `warning` is what users of the model should know. The service repeats it in its log, in /info and in each reply.
    `attention` are the layers, from 0, whose attention the decoder gives.
    """
    files = sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file() and p.name != MANIFEST)
    hashes = {name: sha256(out / name) for name in files}
    manifest = {
        "format": FORMAT,
        "id": model_id,
        "role": role,
        "revision": revision(hashes),
        "prompt_contract": PROMPT_CONTRACT,
        "resolutions": sorted(resolutions),
        "default_resolution": resolutions[0],
        "precisions": precisions,
        "default_precision": precisions[0],
        "sha256": hashes,
        **({} if warning is None else {"warning": warning}),
        **({"attention": {"layers": list(attention)}} if attention else {}),
        "training": training,
        "scores": scores,
    }
    write_json(out / MANIFEST, manifest)
    return manifest


def revision(hashes: dict[str, str]) -> str:
    """12 hex digits that stand for the content of all files. `hashes`: their sha256 by name, in the names' order."""
    listing = "".join(f"{name} {digest}\n" for name, digest in hashes.items())
    return hashlib.sha256(listing.encode()).hexdigest()[:12]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
