"""Whether a run may go on with what a folder holds: the same settings, and inputs of the same content."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cropvlm_trainer.files import sha256_of, to_line
from cropvlm_trainer.own_function import file_of
from cropvlm_trainer.rows import check_images, read_rows
from cropvlm_trainer.training.config import to_table
from cropvlm_trainer.training.stage_config import StageConfig

DATA_SETS = ("data", "eval_data", "dev")
INPUTS = (*DATA_SETS, "base", "adapter", "reward_base", "texts")
"""Settings that name files. They are compared by content (`SHA256`), so that files may move but not change."""
SCORED_ON = ("eval_data", "dev")
"""Data sets on which a run is scored. One may be named or left out when a run goes on, but it may not be replaced by
another: the scores, of which the best is kept, would not compare."""
SHA256 = "sha256"
FORM = "form"
"""Stands beside the hashes. A record of earlier versions is without it, and without images and tokenizers."""
FOLDER_FILES = ("*.safetensors", "config.json", "tokenizer*")
"""Of a model or adapter: its weights, its configuration and its tokenizer."""
FREE = (
    "out",
    "micro_batch",
    "max_steps",
    "save_every",
    "sample_every",
    "eval_every",
    "gradient_checkpointing",
    "workers",
    "rollouts_ahead",
)
"""Settings with which a run may go on changed: the losses stay the same but for rounding.

`max_steps` is when the run ends; the learning rate of the steps from there on is that of the new number of steps.
"""

FREE_OF_REWARD = ("url", "key_env", "concurrency", "timeout", "path", "device", "processes")
"""The same in the table of a reward: an endpoint's model is known by its name, a checkpoint by its content."""


def identity(config: StageConfig) -> dict[str, Any]:
    """Returns the settings as a table, and under `SHA256` the content of the files that they name.

    Of functions of one's own that is the file of their module.
    Raises FileNotFoundError where a file is missing, ValueError where such a function is.
    """
    table = to_table(config)
    paths = {name: [Path(table[name])] for name in INPUTS if table.get(name)}
    reward = table.get("reward")
    if isinstance(reward, dict) and "path" in reward:
        paths["reward"] = [Path(reward["path"])]
    read_by = reward.get("function") if isinstance(reward, dict) else None
    for name, function in {"measure": table.get("measure"), "reward.function": read_by}.items():
        if ":" in (function or "") and (file := file_of(function, name)):
            paths[name] = [file]
    return table | {SHA256: contents(paths)}


def contents(paths: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """Returns a hash of what lies at the paths of each name.

    Of a data set (`DATA_SETS`) that is its file, and of each image that it names the path and the size in bytes: to
    read tens of thousands of images would take minutes. Of a folder it is `FOLDER_FILES`, of other files all of them.

    Raises FileNotFoundError where a file or an image is missing, ValueError for a row that names no image.
    """
    return {FORM: "2"} | {
        name: _data_content(those) if name in DATA_SETS else sha256_of(_files(those)) for name, those in paths.items()
    }


def refuse_other(out: Path, asked: dict[str, Any], there: dict[str, Any], free: Collection[str] = FREE) -> None:
    """Raises ValueError where `there`, the identity of the run in `out`, differs from `asked`.

    `free`: the settings that may differ. Of `SCORED_ON`, one side may have none.
    """
    compared = sorted({*asked, *there} - {*free, *INPUTS, SHA256})
    changed = [key for key in compared if _bare(asked.get(key)) != _bare(there.get(key))]
    ours, theirs = asked.get(SHA256, {}), there.get(SHA256, {})
    if ours.get(FORM) != theirs.get(FORM):
        raise ValueError(
            f"{out} holds a run of an earlier version, which did not record all files that it was begun with; give "
            "another out, or remove it"
        )
    for name in sorted({*ours, *theirs}):
        if name in SCORED_ON and not (name in ours and name in theirs):
            continue
        if ours.get(name) != theirs.get(name):
            path = asked.get(name) or there.get(name)
            changed.append(f"{name} (the content of {path})" if path else name)
    if changed:
        raise ValueError(f"{out} holds a run with another {', '.join(changed)}; give another out, or remove it")


def remembering(asked: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """Returns `asked` with the hash of what the run in `there` was scored on, where `asked` scores nothing.

    It is to be saved so: where the run is scored again later, its best score still is of the same rows.
    """
    ours = asked.get(SHA256, {})
    kept = {name: value for name, value in there.get(SHA256, {}).items() if name in SCORED_ON and name not in ours}
    return asked | {SHA256: ours | kept}


def refuse_past(out: Path, first: int, steps: int) -> None:
    """Raises ValueError where the run in `out` has taken more steps than it is to have."""
    if first > steps:
        raise ValueError(f"{out} has taken {first} steps, past the {steps} of max_steps; raise it, or give another out")


def _bare(value: Any) -> Any:
    """Returns a setting without what may differ in it: how the model of a reward is reached, and where it lies."""
    if isinstance(value, dict) and "kind" in value:
        return {key: part for key, part in value.items() if key not in FREE_OF_REWARD}
    return value


def _files(paths: Iterable[Path]) -> list[Path]:
    return [
        file
        for path in paths
        for file in (
            sorted({file for pattern in FOLDER_FILES for file in path.glob(pattern)}) if path.is_dir() else [path]
        )
    ]


def _data_content(manifests: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for manifest in manifests:
        rows = read_rows(manifest, needs=("image",))
        check_images(manifest, rows)
        sizes = {image: (manifest.parent / image).stat().st_size for image in sorted({row["image"] for row in rows})}
        digest.update(to_line([sha256_of([manifest]), sizes]).encode())
    return digest.hexdigest()
