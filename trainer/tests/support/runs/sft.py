"""Runs of SFT on a tiny base."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file
from support.runs.run import TINY_RUN, run_command, write_base_and_pages

STEPS = 5


def write_given(out: Path) -> Path:
    """Writes `base`, a tiny checkpoint, and pages with questions and boxes."""
    write_base_and_pages(out, 7, questions_per_page=2)
    for path in (out / "pages" / "images").iterdir():
        # Small pages are quick to read.
        Image.open(path).resize((200, 180)).save(path)
    return out


def command(given: Path, out: Path, **other) -> list[str]:
    """The command line of a run of `STEPS` steps, with these settings over the usual ones."""
    settings = {"learning_rate": 3e-3, "batch": 4, "micro_batch": 2, "epochs": 3, "max_steps": STEPS}
    settings |= {"workers": 0, "save_every": 2, "lora.dropout": 0.1}
    return run_command("sft", given, out, {**TINY_RUN, **settings, **other})


def adapter(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "adapter" / "adapter_model.safetensors")


def same(one: Path, other: Path) -> bool:
    ours, theirs = adapter(one), adapter(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)
