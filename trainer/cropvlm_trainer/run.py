"""What every training run shares: one loop, a log, checkpoints that resume to the same losses."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import torch
from tqdm import tqdm
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.data.stream import stream
from cropvlm_trainer.forward import Batch, answer_loss


@dataclass(frozen=True)
class Recipe:
    steps: int
    learning_rate: float
    warmup: int = 300
    weight_decay: float = 0.05
    max_grad_norm: float = 1.0
    save_every: int = 500
    log_every: int = 50


def pick_device(name: str) -> torch.device:
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train(
    model: Idefics3ForConditionalGeneration,
    make_batch: Callable[[int], Batch],
    recipe: Recipe,
    out: Path,
    device: torch.device,
    evaluate: Callable[[], dict[str, float]],
    stop: int | None = None,
    token_weights: torch.Tensor | None = None,
) -> None:
    """Trains to step `stop` (the recipe's last), resuming from `out/state.pt` where it is. Log: `out/log.jsonl`."""
    stop = recipe.steps if stop is None else stop
    out.mkdir(parents=True, exist_ok=True)
    model.to(device).train()
    if device.type == "cpu":
        # The backward pass of the fused attention is the slowest part of a step on a CPU: 1.8x the whole step.
        model.set_attn_implementation("eager")
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}],
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _learning_rate(step, recipe))
    first = _resume(out / "state.pt", model, optimizer, schedule, recipe)
    if first > stop:
        raise ValueError(f"{out} is at step {first}, past {stop}; stop it later, or give another --out")
    if first:
        print(f"resuming {out} at step {first}")
    log = _open_log(out / "log.jsonl", first)
    losses, exact, since = [], [], time.monotonic()
    batches = stream(make_batch, first, stop)
    for step, batch in enumerate(tqdm(batches, initial=first, total=stop, desc=out.name), start=first + 1):
        batch = batch.to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss, right = answer_loss(model, batch, token_weights)
        if not torch.isfinite(loss):
            raise ValueError(f"the loss is {loss.item()} at step {step}; lower the learning rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        exact.append(right.float().mean().item())
        if step % recipe.log_every == 0 or step == stop:
            row = {
                "step": step,
                "loss": sum(losses) / len(losses),
                "exact": sum(exact) / len(exact),
                "grad_norm": norm.item(),
                "lr": schedule.get_last_lr()[0],
                "seconds_per_step": (time.monotonic() - since) / len(losses),
            }
            if step % recipe.save_every == 0 or step == stop:
                model.eval()
                row |= evaluate()
                model.train()
                _save(out / "state.pt", model, optimizer, schedule, step, recipe)
            log.write(json.dumps(row) + "\n")
            log.flush()
            losses, exact, since = [], [], time.monotonic()
    log.close()
    model.eval()


def _open_log(path: Path, first: int) -> TextIO:
    """The log, without the rows of steps that a resumed run will take again."""
    rows = path.read_text().splitlines() if path.exists() else []
    log = path.open("w")
    log.writelines(row + "\n" for row in rows if json.loads(row)["step"] <= first)
    return log


def _learning_rate(step: int, recipe: Recipe) -> float:
    """Linear warm-up, then a cosine to a twentieth."""
    if step < recipe.warmup:
        return (step + 1) / recipe.warmup
    share = (step - recipe.warmup) / max(1, recipe.steps - recipe.warmup)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))


def _save(path: Path, model, optimizer, schedule, step: int, recipe: Recipe) -> None:
    """Written beside and renamed, so that a kill never leaves half a checkpoint."""
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
    }
    torch.save({**state, "step": step, "recipe": asdict(recipe)}, path.with_suffix(".tmp"))
    os.replace(path.with_suffix(".tmp"), path)


def _resume(path: Path, model, optimizer, schedule, recipe: Recipe) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["recipe"] != asdict(recipe):
        raise ValueError(f"{path} belongs to another recipe ({state['recipe']}); give another --out or remove it")
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return state["step"]
