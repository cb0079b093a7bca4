"""What the tests of training runs share: a tiny base with pages, a run's command line, and what a run leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from support.lines import read_lines
from transformers import Idefics3ForConditionalGeneration

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

TINY_RUN = {
    "resolution": 64,
    "learning_rate": 1e-3,
    "precision": "fp32",
    "sample_every": 0,
    "lora.r": 4,
    "lora.alpha": 8,
}
"""Settings of every run of the tiny base by LoRA, where a test has no others."""


def write_base_and_pages(
    out: Path, pages: int, model: Idefics3ForConditionalGeneration | None = None, **more: int
) -> Path:
    """Writes `base`, a tiny checkpoint (of random weights, or `model`), and `pages`, synthetic ones; returns `out`."""
    save_checkpoint(model or tiny_model(2), TINY, tiny_tokenizer(), out / "base", TRAINING)
    dataset.write(out / "pages", pages, 5, **more)
    return out


def run_command(stage: str, given: Path, out: Path, settings: Mapping[str, object]) -> list[str]:
    """A command line that trains what `write_base_and_pages` wrote into `given`."""
    paths = {"base": given / "base", "data": given / "pages" / "manifest.jsonl", "out": out}
    return [stage, *setting_options({**paths, **settings})]


def setting_options(settings: Mapping[str, object]) -> list[str]:
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


def log(out: Path) -> list[dict]:
    return read_lines(out / "log.jsonl")


def log_without_time(out: Path) -> list[dict]:
    """What two runs that take the same steps have alike."""
    return [{key: value for key, value in row.items() if key != "seconds"} for row in log(out)]


def trained(out: Path) -> torch.Tensor:
    """The parameters in `state.pt`, one after another."""
    return torch.cat([part.flatten() for part in torch.load(out / "state.pt", weights_only=True)["trained"]])


def assert_held(command: Callable[..., list[str]], given: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run in `out` is not gone on with on other data, nor where it must not be gone on with at all."""
    usual, other = given / "pages" / "manifest.jsonl", given / "pages" / "other.jsonl"
    text = usual.read_text()
    changed = text.replace("What", "what", 1)
    for rows in (other, usual):
        rows.write_text(changed)
        try:
            assert main(command(given, out, data=rows)) == 2
        finally:
            usual.write_text(text)
        assert f"holds a run with another data (the content of {rows}); give another out" in capsys.readouterr().err
    assert main([*command(given, out), "--resume", "never"]) == 2
    assert "holds a run; give another out, or --resume auto to go on with it" in capsys.readouterr().err
