"""The loop of training from scratch. It keeps a log, and a state from which a run that was broken off goes on.

The losses of a resumed run are those of an unbroken one.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.idefics3.forward import Batch, set_training_attention
from cropvlm_trainer.pretrain.batches import stream
from cropvlm_trainer.training.allocator import give_back_freed_memory
from cropvlm_trainer.training.identity import SHA256, refuse_other, remembering
from cropvlm_trainer.training.optimizers import Optimizers
from cropvlm_trainer.training.processes.stop import stopped_by_sigterm
from cropvlm_trainer.training.run import RunLog, load_whole, save_whole

STATE = "state.pt"
FREE = ("save_every", "log_every")
"""Settings of a recipe with which a run may go on changed: they change no mathematics."""
Loss = Callable[[int, Batch], tuple[torch.Tensor, dict[str, torch.Tensor]]]
"""The number of the step, from 0, and its batch -> the loss to minimise, and scalars for the log by name."""


@dataclass(frozen=True)
class Recipe:
    """The settings of a run. A run goes on from a saved state only where all of them but `FREE` are equal."""

    steps: int
    learning_rate: float
    """AdamW's"""
    matrix_learning_rate: float
    """Muon's"""
    seed: int
    pages: int
    """a batch"""
    warmup: int = 100
    """steps"""
    weight_decay: float = 0.05
    max_grad_norm: float = 1.0
    save_every: int = 500
    """steps"""
    log_every: int = 50
    """steps"""

    def __post_init__(self) -> None:
        if self.save_every % self.log_every:
            raise ValueError(
                f"save_every ({self.save_every}) must be a multiple of {self.log_every}, the steps between two log rows"
            )


def train(
    model: Idefics3ForConditionalGeneration,
    make_batch: Callable[[int], Batch],
    loss_of: Loss,
    recipe: Recipe,
    out: Path,
    device: torch.device,
    evaluate: Callable[[int], dict[str, float]],
    stop: int | None = None,
    aux_heads: nn.Module | None = None,
    workers: int = 1,
    contents: Mapping[str, str] | None = None,
) -> int:
    """Trains up to step `stop` (None: all of the recipe's), from `out/state.pt` where there is one.

    Every `recipe.log_every` steps a row goes into `out/log.jsonl`: means of the scalars since the last row. Every
    `recipe.save_every` steps the state is saved, and what `evaluate` returns for the step goes into the row too.

    SIGTERM ends the run after the step in progress, with its state saved. The scalars and the time since the last row
    are saved with it, so that the next row, `seconds_per_step` included, is of all steps since then.

    `aux_heads`: further parameters of the loss. They are trained too, and are in the state but in no checkpoint.
    `workers`: processes that make batches; how many they are changes nothing else.
    `contents`: hashes of the run's files (`training.identity.contents`); the recipe has their paths by the same names.
    Returns the number of steps taken in all: `stop`, or fewer where SIGTERM ended the run, which is then said.
    Raises ValueError for a state of another recipe, of other files, of pages that are drawn otherwise, or past `stop`,
    for a loss that is not finite, and under a launcher of several processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError("pretrain and full-sft run in one process; start them without torchrun and accelerate launch")
    stop = recipe.steps if stop is None else stop
    out.mkdir(parents=True, exist_ok=True)
    parts = nn.ModuleList([model, aux_heads or nn.Module()]).to(device).train()
    set_training_attention(model, device)
    optimizers = Optimizers(parts, recipe)
    asked = asdict(recipe) | {
        SHA256: {**(contents or {}), "pages as they are drawn": content(make_batch, recipe.steps)}
    }
    first, since_row, asked = _resume(out / STATE, parts, optimizers, asked)
    if first > stop:
        raise ValueError(f"{out} is at step {first}, past {stop}; stop it later, or give another --out")
    if first:
        print(f"resuming {out} at step {first}")
    log = RunLog(out, first, events=False)
    collected, started = defaultdict(list, since_row["scalars"]), time.monotonic() - since_row["seconds"]
    batches, taken = stream(make_batch, first, stop, workers), first
    with stopped_by_sigterm() as signal:
        for step, batch in enumerate(tqdm(batches, initial=first, total=stop, desc=out.name), start=first + 1):
            with torch.autocast(device.type, dtype=torch.bfloat16):
                loss, scalars = loss_of(step - 1, batch.to(device))
            if not torch.isfinite(loss):
                raise ValueError(f"the loss is {loss.item()} at step {step}; lower the learning rates")
            optimizers.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(parts.parameters(), recipe.max_grad_norm)
            optimizers.step()
            taken = step
            for name, value in {"loss": loss, "grad_norm": norm, **scalars}.items():
                collected[name].append(value.item())
            is_saved = step % recipe.save_every == 0 or step == stop
            if step % recipe.log_every == 0 or step == stop:
                row = {name: sum(values) / len(values) for name, values in collected.items()}
                row |= {"lr": optimizers.lr, "seconds_per_step": (time.monotonic() - started) / len(collected["loss"])}
                if is_saved:
                    model.eval()
                    row |= evaluate(step)
                    model.train()
                log.add(step, row)
                collected, started = defaultdict(list), time.monotonic()
            is_stopped = signal.asked
            if is_saved or is_stopped:
                since_row = {"scalars": dict(collected), "seconds": time.monotonic() - started}
                _save(out / STATE, parts, optimizers, step, asked, since_row)
                give_back_freed_memory()
            if is_stopped:
                break
    log.close()
    model.eval()
    if taken < stop:
        print(f"{out}: stopped after step {taken} of {stop}; the same command goes on from there")
    return taken


def steps_taken(out: Path) -> int:
    """Returns the number of steps of the state that is saved in `out`, 0 where there is none."""
    return load_whole(out / STATE)["step"] if (out / STATE).exists() else 0


def content(make_batch: Callable[[int], Batch], steps: int) -> str:
    """Returns a hash of the first and the last two batches, which other fonts or another way to draw would change."""
    digest = hashlib.sha256()
    for step in sorted({0, max(0, steps - 2), steps - 1}):
        batch = make_batch(step)
        for tensor in (batch.tiles, batch.input_ids, batch.labels):
            digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def _save(
    path: Path, parts: nn.Module, optimizers: Optimizers, step: int, asked: dict[str, Any], since_row: dict[str, Any]
) -> None:
    state = {"parts": parts.state_dict(), "optimizers": optimizers.state_dict()}
    save_whole({**state, "step": step, "recipe": asked, "since_row": since_row}, path)


def _resume(
    path: Path, parts: nn.Module, optimizers: Optimizers, asked: dict[str, Any]
) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Restores the state in the file, if there is one.

    Returns the number of steps taken, of those since the last log row the `scalars` by name and the `seconds`, and
    `asked` as it is to be saved.
    """
    nothing = {"scalars": {}, "seconds": 0.0}
    if not path.exists():
        return 0, nothing, asked
    state = load_whole(path)
    refuse_other(path.parent, asked, state["recipe"], FREE)
    parts.load_state_dict(state["parts"])
    optimizers.load_state_dict(state["optimizers"])
    # Earlier versions saved only where a row was written.
    return state["step"], state.get("since_row", nothing), remembering(asked, state["recipe"])
