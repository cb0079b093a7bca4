"""Whether a run may go on with what a folder holds: the same settings, and inputs of the same content."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from cropvlm_trainer.files import sha256_of
from cropvlm_trainer.training.config import to_table
from cropvlm_trainer.training.stage_config import StageConfig

INPUTS = ("data", "base", "adapter", "eval_data")
"""Settings that name files. They are compared by content (`SHA256`), so that files may move but not change."""
SHA256 = "sha256"
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

FREE_OF_REWARD = ("key_env", "concurrency", "timeout", "path", "device", "processes")
"""The same in the table of a reward. A checkpoint's `path` is compared by content."""


def identity(config: StageConfig) -> dict[str, Any]:
    """Returns the settings as a table, and under `SHA256` the content of the files that they name.

    Raises FileNotFoundError where one is missing.
    """
    table = to_table(config)
    content = {name: _content(Path(table[name])) for name in INPUTS if table.get(name)}
    reward = table.get("reward")
    if isinstance(reward, dict) and "path" in reward:
        content["reward"] = _content(Path(reward["path"]))
    return table | {SHA256: content}


def refuse_other(out: Path, asked: dict[str, Any], there: dict[str, Any], free: Collection[str] = FREE) -> None:
    """Raises ValueError where `there`, the identity of the run in `out`, differs from `asked`.

    `free`: the settings that may differ.
    """
    compared = sorted({*asked, *there} - {*free, *INPUTS, SHA256})
    changed = [key for key in compared if _bare(asked.get(key)) != _bare(there.get(key))]
    ours, theirs = asked.get(SHA256, {}), there.get(SHA256)
    if theirs is None:
        # A run of a version that knew paths alone.
        changed += [name for name in INPUTS if asked.get(name) != there.get(name)]
    else:
        for name in sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)):
            path = asked.get(name) or there.get(name)
            changed.append(f"{name} (the content of {path})" if path else name)
    if changed:
        raise ValueError(f"{out} holds a run with another {', '.join(changed)}; give another out, or remove it")


def refuse_past(out: Path, first: int, steps: int) -> None:
    """Raises ValueError where the run in `out` has taken more steps than it is to have."""
    if first > steps:
        raise ValueError(f"{out} has taken {first} steps, past the {steps} of max_steps; raise it, or give another out")


def _bare(value: Any) -> Any:
    """Returns a setting without what may differ in it: how the model of a reward is reached, and where it lies."""
    if isinstance(value, dict) and "kind" in value:
        return {key: part for key, part in value.items() if key not in FREE_OF_REWARD}
    return value


def _content(path: Path) -> str:
    """Returns a hash of a file, or of a folder's weights."""
    return sha256_of(sorted(path.glob("*.safetensors")) if path.is_dir() else [path])
