"""What every training run shares: one loop, a log, checkpoints that resume to the same losses."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import torch
from torch import nn
from tqdm import tqdm
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.data.manifest import write_whole
from cropvlm_trainer.data.stream import stream
from cropvlm_trainer.forward import Batch, set_training_attention
from cropvlm_trainer.optimizers import Optimizers

Loss = Callable[[int, Batch], tuple[torch.Tensor, dict[str, torch.Tensor]]]
"""Step and batch -> the loss to minimise, and named scalars for the log."""


@dataclass(frozen=True)
class Recipe:
    """What two runs must have in common for one to go on where the other broke off."""

    steps: int
    learning_rate: float
    """AdamW's"""
    matrix_learning_rate: float
    """Muon's"""
    seed: int
    pages: int
    base: str | None = None
    warmup: int = 100
    weight_decay: float = 0.05
    max_grad_norm: float = 1.0
    save_every: int = 500
    log_every: int = 50

    def __post_init__(self) -> None:
        if self.save_every % self.log_every:
            raise ValueError(f"save_every ({self.save_every}) must be a multiple of log_every ({self.log_every})")


def pick_device(name: str) -> torch.device:
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(
    model: Idefics3ForConditionalGeneration,
    make_batch: Callable[[int], Batch],
    loss_of: Loss,
    recipe: Recipe,
    out: Path,
    device: torch.device,
    evaluate: Callable[[], dict[str, float]],
    stop: int | None = None,
    helpers: nn.Module | None = None,
) -> None:
    """Trains to step `stop` (the recipe's last), resuming from `out/state.pt` where it is. Log: `out/log.jsonl`.

    `helpers`: further parameters of the loss, trained along and kept for resuming only.
    """
    stop = recipe.steps if stop is None else stop
    out.mkdir(parents=True, exist_ok=True)
    parts = nn.ModuleList([model, helpers or nn.Module()]).to(device).train()
    set_training_attention(model, device)
    optimizers = Optimizers(parts, recipe)
    first = _resume(out / "state.pt", parts, optimizers, recipe)
    if first > stop:
        raise ValueError(f"{out} is at step {first}, past {stop}; stop it later, or give another --out")
    if first:
        print(f"resuming {out} at step {first}")
    log = open_log(out / "log.jsonl", first)
    seen, since = defaultdict(list), time.monotonic()
    batches = stream(make_batch, first, stop)
    for step, batch in enumerate(tqdm(batches, initial=first, total=stop, desc=out.name), start=first + 1):
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss, scalars = loss_of(step - 1, batch.to(device))
        if not torch.isfinite(loss):
            raise ValueError(f"the loss is {loss.item()} at step {step}; lower the learning rates")
        optimizers.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(parts.parameters(), recipe.max_grad_norm)
        optimizers.step()
        for name, value in {"loss": loss, "grad_norm": norm, **scalars}.items():
            seen[name].append(value.item())
        if step % recipe.log_every == 0 or step == stop:
            row = {"step": step, **{name: sum(values) / len(values) for name, values in seen.items()}}
            row |= {"lr": optimizers.lr, "seconds_per_step": (time.monotonic() - since) / len(seen["loss"])}
            if step % recipe.save_every == 0 or step == stop:
                model.eval()
                row |= evaluate()
                model.train()
                _save(out / "state.pt", parts, optimizers, step, recipe)
            log.write(json.dumps(row) + "\n")
            log.flush()
            seen, since = defaultdict(list), time.monotonic()
    log.close()
    model.eval()


def open_log(path: Path, first: int) -> TextIO:
    """The log, without the rows of steps that a resumed run will take again."""
    # Only whole lines: a run that was killed while it wrote may have left a torn one.
    rows = path.read_text().split("\n")[:-1] if path.exists() else []
    # Whole before a step is taken: a kill must not cost what earlier runs logged.
    write_whole(path, "".join(row + "\n" for row in rows if json.loads(row)["step"] <= first).encode())
    return path.open("a")


def refuse_other(out: Path, asked: dict, there: dict) -> None:
    """Raises ValueError where the run in `out`, asked for as `there` says, was asked otherwise than now."""
    changed = sorted(key for key in {*asked, *there} if asked.get(key) != there.get(key))
    if changed:
        raise ValueError(f"{out} holds a run with another {', '.join(changed)}; give another out, or remove it")


def _save(path: Path, parts: nn.Module, optimizers: Optimizers, step: int, recipe: Recipe) -> None:
    state = {"parts": parts.state_dict(), "optimizers": optimizers.state_dict()}
    save_whole({**state, "step": step, "recipe": asdict(recipe)}, path)


def save_whole(state: dict, path: Path) -> None:
    """Written beside and renamed, so that a kill never leaves half a checkpoint."""
    torch.save(state, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)


def _resume(path: Path, parts: nn.Module, optimizers: Optimizers, recipe: Recipe) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["recipe"] != asdict(recipe):
        raise ValueError(f"{path} belongs to another recipe ({state['recipe']}); give another --out or remove it")
    parts.load_state_dict(state["parts"])
    optimizers.load_state_dict(state["optimizers"])
    return state["step"]
