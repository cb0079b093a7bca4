"""Supervised fine-tuning of a tiny model: the loss, what is taught, what a run leaves, and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.processes import run_in_two
from support.runs.run import log, log_without_time
from support.runs.sft import STEPS, adapter, command
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.fixtures.models import tiny_model
from cropvlm_trainer.idefics3.adapter import open_checkpoint


def test_a_run_learns_and_tells_what_it_did(given, whole):
    rows = log_without_time(whole)
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


def test_a_run_is_scored_and_keeps_its_best_and_last_adapter(given, whole, tmp_path):
    dataset.write(tmp_path / "dev", 9, 8)
    scored = {"eval_data": tmp_path / "dev" / "manifest.jsonl", "eval_every": 2, "sample_every": 4}
    out = tmp_path / "run"
    assert main(command(given, out, **scored)) == 0
    found = {row["step"]: row for row in log_without_time(out) if "eval/iou" in row}
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
    for row, other in zip(log_without_time(tmp_path / "one"), log_without_time(tmp_path / "two"), strict=True):
        assert other == pytest.approx(row, rel=1e-3)
    ours, theirs = adapter(tmp_path / "one"), adapter(tmp_path / "two")
    assert max((ours[key] - theirs[key]).abs().max() for key in ours) < 2e-4


def test_how_a_batch_is_cut_up_and_loaded_changes_nothing(given, tmp_path):
    runs = {"one": {"micro_batch": 1, "workers": 1}, "four": {"micro_batch": 4, "gradient_checkpointing": "false"}}
    for name, settings in runs.items():
        assert main(command(given, tmp_path / name, **settings, **{"lora.dropout": 0.0, "max_steps": 3})) == 0
    for row, other in zip(log_without_time(tmp_path / "one"), log_without_time(tmp_path / "four"), strict=True):
        assert other == pytest.approx(row, rel=1e-4)


def test_a_run_in_bf16_is_near_one_in_fp32(given, tmp_path):
    for precision in ("bf16", "fp32"):
        assert main(command(given, tmp_path / precision, precision=precision, max_steps=1)) == 0
    (half,), (full,) = log_without_time(tmp_path / "bf16"), log_without_time(tmp_path / "fp32")
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
