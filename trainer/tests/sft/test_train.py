"""Supervised fine-tuning of a tiny model: the loss, what is taught, resuming, the run folder and its errors."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from support.paths import TRAINER
from support.processes import run_in_two
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import Trainer

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.adapter import open_checkpoint
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.sft.recorder import Recorder
from cropvlm_trainer.sft.train import last_checkpoint, step_of

STEPS = 5


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("given")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), out / "base", TRAINING)
    dataset.write(out / "pages", 7, 5, questions_per_page=2)
    for path in (out / "pages" / "images").iterdir():
        # Small pages are quick to read.
        Image.open(path).resize((200, 180)).save(path)
    return out


def command(given: Path, out: Path, **other) -> list[str]:
    values = {
        "base": given / "base",
        "data": given / "pages" / "manifest.jsonl",
        "out": out,
        "resolution": 64,
        "learning_rate": 3e-3,
        "batch": 4,
        "micro_batch": 2,
        "epochs": 3,
        "max_steps": STEPS,
        "precision": "fp32",
        "workers": 0,
        "save_every": 2,
        "sample_every": 0,
        "lora.r": 4,
        "lora.alpha": 8,
        "lora.dropout": 0.1,
        **other,
    }
    return ["sft", *(part for key, value in values.items() for part in ("--set", f"{key}={value}"))]


def log(out: Path) -> list[dict]:
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def adapter(out: Path) -> dict[str, torch.Tensor]:
    return load_file(out / "adapter" / "adapter_model.safetensors")


def same(one: Path, other: Path) -> bool:
    ours, theirs = adapter(one), adapter(other)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in ours)


@pytest.fixture(scope="module")
def whole(given, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    assert main(command(given, out, sample_every=4)) == 0
    return out


def test_a_run_learns_and_tells_what_it_did(given, whole):
    rows = log(whole)
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    assert all(set(row) == {"step", "loss", "grad_norm", "lr"} for row in rows)
    assert rows[-1]["loss"] < rows[0]["loss"] and all(row["grad_norm"] > 0 for row in rows)
    assert rows[0]["lr"] == pytest.approx(3e-3), "three per cent of five steps are no warm-up"
    assert rows[1]["lr"] == pytest.approx(3e-3 * 0.9045, rel=1e-4), "(1 + cos(pi / 5)) / 2"
    config = json.loads((whole / "config.json").read_text())
    assert config["lora"] == {"r": 4, "alpha": 8, "dropout": 0.1} and config["max_grad_norm"] == 1.0
    assert sorted(path.name for path in (whole / "state").iterdir()) == ["checkpoint-4", "checkpoint-5"]
    events = EventAccumulator(str(whole / "events")).Reload()
    assert set(events.Tags()["scalars"]) == {"loss", "grad_norm", "lr", "seconds"}
    assert [event.value for event in events.Scalars("loss")] == pytest.approx([row["loss"] for row in rows])
    for step in ("step-000004", "step-000005"):
        pictures = sorted(path.name for path in (whole / "samples" / step).iterdir())
        assert pictures == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]


def test_the_adapter_is_what_export_takes(given, whole):
    with open_checkpoint(whole / "adapter") as (model, _, files):
        trained = model.model.text_model.layers[0].mlp.up_proj.weight
        assert 0 < (trained - tiny_model(2).model.text_model.layers[0].mlp.up_proj.weight).abs().max() < 0.1
        story = json.loads((files / "training.json").read_text())
    assert (story["stage"], story["steps"], story["base"]["recipe"]) == ("sft", STEPS, "random weights")


@pytest.mark.parametrize("killed_after", [1, 3])
def test_a_killed_run_resumes_to_the_same_losses(given, whole, tmp_path, monkeypatch, killed_after):
    on_log = Recorder.on_log

    def killed(self, args, state, control, **named):
        on_log(self, args, state, control, **named)
        if state.global_step == killed_after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Recorder, "on_log", killed)
        main(command(given, tmp_path, sample_every=4))
    assert [row["step"] for row in log(tmp_path)] == list(range(1, killed_after + 1))
    assert not (tmp_path / "adapter").exists()
    assert main(command(given, tmp_path, sample_every=4)) == 0
    assert log(tmp_path) == log(whole)
    assert same(tmp_path, whole)


def test_a_kill_while_the_state_is_written_does_no_harm(given, whole, tmp_path, monkeypatch):
    save = Trainer._save_rng_state

    def killed(self, folder):
        if folder.endswith("checkpoint-4"):
            raise KeyboardInterrupt
        save(self, folder)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Trainer, "_save_rng_state", killed)
        main(command(given, tmp_path, sample_every=4))
    assert (tmp_path / "state" / "checkpoint-4" / "optimizer.pt").exists()
    assert main(command(given, tmp_path, sample_every=4)) == 0
    assert log(tmp_path) == log(whole)
    assert same(tmp_path, whole)


def test_a_finished_run_writes_its_adapter_anew(given, whole, tmp_path):
    out = tmp_path / "again"
    shutil.copytree(whole, out)
    shutil.rmtree(out / "adapter")
    # The folder's name is a setting, too.
    config = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(config | {"out": str(out)}))
    assert main(command(given, out, sample_every=4)) == 0
    assert log(out) == log(whole)
    assert same(out, whole)


def test_a_run_is_scored_and_keeps_its_best_and_last_adapter(given, whole, tmp_path):
    dataset.write(tmp_path / "dev", 9, 8)
    scored = {"eval_data": tmp_path / "dev" / "manifest.jsonl", "eval_every": 2, "sample_every": 4}
    out = tmp_path / "run"
    assert main(command(given, out, **scored)) == 0
    found = {row["step"]: row for row in log(out) if "eval/iou" in row}
    assert sorted(found) == [2, 4, 5] and all(0 <= row["eval/valid"] <= 1 for row in found.values())
    assert [row["loss"] for row in log(out)] == [row["loss"] for row in log(whole)], "scoring changes no training"
    first = max(found.values(), key=lambda row: row["eval/iou"])
    story = json.loads((out / "best" / "training.json").read_text())
    assert (story["steps"], story["eval"]["score"]) == (first["step"], first["eval/iou"])
    assert json.loads((out / "last" / "training.json").read_text())["steps"] == STEPS
    last = load_file(out / "last" / "adapter_model.safetensors")
    assert all(torch.equal(value, last[name]) for name, value in adapter(out).items())
    with open_checkpoint(out / "best") as (model, _, _):
        assert model.model.text_model.layers


def test_two_processes_are_one(given, tmp_path):
    settings = {"lora.dropout": 0.0, "max_steps": 3}
    assert main(command(given, tmp_path / "one", **settings)) == 0
    run_in_two(command(given, tmp_path / "two", **settings), tmp_path / "world")
    for row, other in zip(log(tmp_path / "one"), log(tmp_path / "two"), strict=True):
        assert other == pytest.approx(row, rel=1e-3)
    ours, theirs = adapter(tmp_path / "one"), adapter(tmp_path / "two")
    assert max((ours[key] - theirs[key]).abs().max() for key in ours) < 2e-4


def test_a_run_goes_on_with_settings_that_change_no_mathematics(given, whole, tmp_path):
    settings = {"lora.dropout": 0.0}
    assert main(command(given, tmp_path / "whole", **settings)) == 0
    assert main(command(given, tmp_path / "two", max_steps=2, **settings)) == 0
    changed = {"micro_batch": 4, "sample_every": 3, "save_every": 1, "workers": 1}
    assert main(command(given, tmp_path / "two", **settings, **changed)) == 0
    rows, others = log(tmp_path / "whole"), log(tmp_path / "two")
    assert [row["step"] for row in others] == [1, 2, 3, 4, 5]
    assert [row["lr"] for row in others[2:]] == pytest.approx([row["lr"] for row in rows[2:]])
    assert (tmp_path / "two" / "samples" / "step-000003").exists()
    assert others[0] == pytest.approx(rows[0], rel=1e-4)


def test_sigterm_saves_the_step_in_progress_and_the_run_goes_on(given, whole, tmp_path, monkeypatch, capsys):
    on_log = Recorder.on_log

    def terminated(self, args, state, control, **named):
        on_log(self, args, state, control, **named)
        if state.global_step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "on_log", terminated)
        assert main(command(given, tmp_path, sample_every=4, save_every=5)) == 0
    assert "stopped after step 3 of 5; the same command goes on from there" in capsys.readouterr().out
    assert [row["step"] for row in log(tmp_path)] == [1, 2, 3] and not (tmp_path / "adapter").exists()
    assert main([*command(given, tmp_path, sample_every=4), "--resume", "auto"]) == 0
    assert log(tmp_path) == log(whole)
    assert same(tmp_path, whole)


def test_sigterm_to_the_whole_group_ends_no_worker(given, tmp_path):
    """As a cluster's scheduler sends it: to the run and to the processes that read its images."""
    settings = {"workers": 2, "epochs": 500, "max_steps": 900, "save_every": 900}
    program = [sys.executable, "-m", "cropvlm_trainer.cli", *command(given, tmp_path, **settings)]
    run = subprocess.Popen(program, cwd=TRAINER, start_new_session=True, stdout=subprocess.PIPE, text=True)
    rows = tmp_path / "log.jsonl"
    while run.poll() is None and not (rows.exists() and rows.read_text().count("\n") >= 2):
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGTERM)
    said, _ = run.communicate(timeout=120)
    taken = len(log(tmp_path))
    assert (run.returncode, f"stopped after step {taken} of 900" in said) == (0, True)
    assert last_checkpoint(tmp_path / "state").name == f"checkpoint-{taken}"


def test_how_a_batch_is_cut_up_and_loaded_changes_nothing(given, tmp_path):
    runs = {"one": {"micro_batch": 1, "workers": 1}, "four": {"micro_batch": 4, "gradient_checkpointing": "false"}}
    for name, settings in runs.items():
        assert main(command(given, tmp_path / name, **settings, **{"lora.dropout": 0.0, "max_steps": 3})) == 0
    for row, other in zip(log(tmp_path / "one"), log(tmp_path / "four"), strict=True):
        assert other == pytest.approx(row, rel=1e-4)


def test_a_run_in_bf16_is_near_one_in_fp32(given, tmp_path):
    for precision in ("bf16", "fp32"):
        assert main(command(given, tmp_path / precision, precision=precision, max_steps=1)) == 0
    (half,), (full,) = log(tmp_path / "bf16"), log(tmp_path / "fp32")
    assert half["loss"] == pytest.approx(full["loss"], rel=0.02) and half["loss"] != full["loss"]


def edited(given: Path, folder: Path, change: dict) -> Path:
    """A manifest whose second row is changed, beside the same images."""
    (folder / "images").symlink_to(given / "pages" / "images")
    lines = (given / "pages" / "manifest.jsonl").read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | change)
    (folder / "manifest.jsonl").write_text("\n".join(lines))
    return folder / "manifest.jsonl"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box": None}, "None is no box"),
        ({"box": [10, 20, 10, 30]}, "[10, 20, 10, 30] is no box"),
        ({"box": [10, 20, 30, 130]}, "give every row a box with `cropvlm-train data seed`"),
        ({"question": ""}, "has no question; mend or remove it"),
        ({"image": "images/none.png"}, "none.png, which is not there"),
    ],
)
def test_a_row_that_cannot_be_taught_is_named(given, tmp_path, capsys, change, message):
    assert main(command(given, tmp_path / "out", data=edited(given, tmp_path, change))) == 2
    error = capsys.readouterr().err
    assert message in error and "row 2 of" in error


def test_a_box_without_area_in_whole_per_cents_is_left_out(given, tmp_path, capsys):
    manifest = edited(given, tmp_path, {"box": [10.2, 20.0, 10.9, 30.0]})
    assert main(command(given, tmp_path / "out", data=manifest, max_steps=1)) == 0
    assert f"1 rows of {manifest} left out" in capsys.readouterr().err
    story = json.loads((tmp_path / "out" / "adapter" / "training.json").read_text())
    assert story["rows_left_out"] == 1


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"batch": 5}, "batch (5) must be a multiple of micro_batch (2)"),
        ({"batch": 40, "micro_batch": 40}, "questions, less than a batch of 40; lower batch"),
        ({"resolution": 100}, "resolution 100 must be a multiple of the model's tiles, 64 pixels"),
        ({"resolution": 640}, "the model's tiles have names up to 384"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0; the paper has 5e-05"),
        ({"warmup": 3}, "warmup is a share of the steps"),
        ({"max_steps": 0}, "max_steps must be 1 or more"),
        ({"save_every": 0}, "save_every must be 1 or more"),
        ({"max_grad_norm": 0.0}, "max_grad_norm must be above 0"),
        ({"data": "nowhere.jsonl"}, "nowhere.jsonl is not a file"),
        ({"base": "nowhere"}, "nowhere holds no config.json"),
        ({"learning_rate": 1e30}, "lower learning_rate"),
    ],
)
def test_what_cannot_be_trained_is_named(given, tmp_path, capsys, other, message):
    assert main(command(given, tmp_path, **other)) == 2
    assert message in capsys.readouterr().err


def test_another_run_is_not_gone_on_with(given, whole, capsys):
    assert main(command(given, whole, learning_rate=1e-4, sample_every=4, **{"lora.r": 8})) == 2
    assert "holds a run with another learning_rate, lora; give another out" in capsys.readouterr().err
    rows = given / "pages" / "other.jsonl"
    rows.write_text((given / "pages" / "manifest.jsonl").read_text().replace("What", "what", 1))
    assert main(command(given, whole, data=rows)) == 2
    assert f"holds a run with another data (the content of {rows}); give another out" in capsys.readouterr().err
    assert main([*command(given, whole), "--resume", "never"]) == 2
    assert "holds a run; give another out, or --resume auto to go on with it" in capsys.readouterr().err
    assert main(command(given, whole, max_steps=3)) == 2
    assert "has taken 5 steps, past the 3 of max_steps" in capsys.readouterr().err


def test_the_last_whole_checkpoint_counts(tmp_path):
    assert last_checkpoint(tmp_path / "state") is None and step_of(None) == 0
    for step, content in (("50", "{}"), ("100", "{}"), ("150", '{"epoch'), ("200", None)):
        folder: Path = tmp_path / "state" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        if content is not None:
            (folder / "trainer_state.json").write_text(content)
    assert last_checkpoint(tmp_path / "state").name == "checkpoint-100"
    assert step_of(last_checkpoint(tmp_path / "state")) == 100
