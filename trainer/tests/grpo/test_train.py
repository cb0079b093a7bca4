"""GRPO runs on a tiny model that writes boxes: what they learn from, what they log, and what they leave."""

from __future__ import annotations

import json

import pytest
import torch
from peft import PeftModel
from PIL import Image
from support.chat_server import chat_server
from support.lines import read_lines
from support.runs.board import events
from support.runs.grpo import STEPS, command
from support.runs.run import log, log_without_time, trained

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.grpo import train as train_module
from cropvlm_trainer.grpo.step import StepOutcome
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint
from cropvlm_trainer.idefics3.reward_model import Example


def test_a_run_learns_and_tells_what_it_did(given, whole):
    rows = log(whole)
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    assert {"loss", "reward", "spread", "groups_without_spread", "kl", "valid", "area", "tokens", "ended"} < set(
        rows[0]
    )
    assert {"reward/log_likelihood", "reward/format", "spread/log_likelihood", "grad_norm", "lr"} < set(rows[0])
    assert {"groups_without_spread/log_likelihood", "groups_without_spread/format", "spread/format"} < set(rows[0])
    assert all(row["valid"] > 0.2 and row["grad_norm"] > 0 for row in rows)
    assert rows[0]["kl"] == pytest.approx(0, abs=1e-6) and rows[-1]["kl"] > 1e-6
    assert json.loads((whole / "config.json").read_text())["lora"] == {"r": 4, "alpha": 8, "dropout": 0.0}
    model, _ = load_checkpoint(given / "base")
    story = json.loads((whole / "adapter" / "training.json").read_text())
    assert (story["stage"], story["steps"], story["reward"]) == ("grpo", STEPS, "log_likelihood")
    assert story["base"]["shape"] == json.loads((given / "base" / "training.json").read_text())["shape"]
    loaded = PeftModel.from_pretrained(model, whole / "adapter")
    saved = [p for name, p in sorted(loaded.named_parameters()) if "lora_" in name]
    assert sum(p.numel() for p in saved) == trained(whole).numel()
    assert sum(p.abs().sum().item() for name, p in loaded.named_parameters() if "lora_B" in name) > 0


def test_the_board_shows_the_log(whole):
    for shown, row in zip(events(whole), log(whole), strict=True):
        assert shown == pytest.approx(row, rel=1e-6)


def test_pictures_of_some_steps_and_of_the_last(whole):
    assert sorted(path.name for path in (whole / "samples").iterdir()) == ["step-000003", "step-000004"]
    for folder in (whole / "samples").iterdir():
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"], "over micro-batches of 2"
    assert Image.open(whole / "samples" / "step-000004" / "3.jpg").height > 300


def test_a_picture_has_the_groups_boxes_their_rewards_and_the_rows_box():
    image = Image.new("RGB", (40, 30))
    examples = [Example(image, "Which?", ["1"]), Example(image, "Where?", ["2"])]
    boxes = [[(0, 0, 50, 50), None], [(1, 2, 3, 4), (5, 6, 7, 8)]]
    rewards = {
        "log_likelihood": torch.tensor([[-1.234, -20.0], [0.5, 0.25]]),
        "format": torch.tensor([[1.0, 0.0], [1, 1]]),
    }
    rows = [{"box": [10.5, 20, 30, 40]}, {"box": None}]
    first, second = train_module.to_pictures(rows, examples, StepOutcome(boxes, rewards))
    assert (first.image, first.question, first.boxes, first.truth) == (image, "Which?", boxes[0], [10.5, 20, 30, 40])
    assert first.note == "log_likelihood: -1.23, -20.00\nformat: 1.00, 0.00"
    assert (second.question, second.truth) == ("Where?", None)
    assert second.note == "log_likelihood: 0.50, 0.25\nformat: 1.00, 1.00"


def test_epochs_that_batches_do_not_fill(given, tmp_path, capsys):
    assert main(command(given, tmp_path, batch=8, micro_batch=4, epochs=2)) == 0
    rows = log(tmp_path)
    assert [row["step"] for row in rows] == [1, 2], "8 of 12 questions an epoch, not 24 questions by 8"
    assert rows[1]["lr"] == pytest.approx(1e-3 / 2), "half-way down the cosine of two steps"
    bar = capsys.readouterr().err
    assert f"reward={rows[1]['reward']:.3f}" in bar and f"kl={rows[1]['kl']:.4f}" in bar


def test_a_run_is_scored_and_keeps_its_best_and_last_adapter(given, whole, tmp_path, capsys):
    dataset.write(tmp_path / "dev", 9, 8)
    scored = {"eval_data": tmp_path / "dev" / "manifest.jsonl", "eval_every": 3}
    out = tmp_path / "run"
    assert main(command(given, out, **scored, max_steps=3)) == 0
    assert main(command(given, out, **scored)) == 0
    rows = log(out)
    found = {row["step"]: row for row in rows if "eval/reward" in row}
    assert sorted(found) == [3, 4], "every third, and the last"
    for row in found.values():
        parts = row["eval/reward/log_likelihood"] + row["eval/reward/format"]
        assert row["eval/reward"] == pytest.approx(parts) and row["eval/reward/format"] == row["eval/valid"]
        assert 0 <= row["eval/iou"] <= 1
    assert log_without_time(out)[0] == log_without_time(whole)[0], "scoring changes no training"
    best = max(found.values(), key=lambda row: row["eval/reward"])
    story = json.loads((out / "best" / "training.json").read_text())
    assert (story["steps"], story["eval"]["score"]) == (best["step"], pytest.approx(best["eval/reward"]))
    assert json.loads((out / "last" / "training.json").read_text())["steps"] == STEPS
    for name in ("best", "last"):
        assert PeftModel.from_pretrained(load_checkpoint(given / "base")[0], out / name)
    assert main(command(given, tmp_path / "x", eval_every=2)) == 2
    assert "eval_every needs eval_data, a manifest that nothing is trained on" in capsys.readouterr().err


def test_accuracy_can_be_the_reward(given, tmp_path):
    assert main(command(given, tmp_path, reward="accuracy", recipe="released", max_steps=1)) == 0
    (row,) = log(tmp_path)
    assert "reward/accuracy" in row and row["reward/format"] == pytest.approx(0.25 * row["valid"])


def test_several_updates_with_what_was_drawn_once(given, whole, tmp_path, capsys):
    settings = {"mu": 3, "epsilon": 0.01, "epsilon_high": 0.02, "beta": 0.0, "invalid": "penalty"}
    assert main(command(given, tmp_path / "whole", **settings)) == 0
    rows = log(tmp_path / "whole")
    assert all(0 <= row["clipped"] < 1 and "kl" not in row for row in rows) and any(row["clipped"] for row in rows)
    assert rows[0]["loss"] == pytest.approx(log(whole)[0]["loss"], abs=1e-5), "the first update is that of mu = 1"
    assert rows[1]["lr"] == pytest.approx(log(whole)[1]["lr"]), "the rates of 12 updates pass as those of 4 steps"
    assert "kl=" not in capsys.readouterr().err
    state = torch.load(tmp_path / "whole" / "state.pt", weights_only=True)
    assert state["schedule"]["last_epoch"] == 3 * STEPS
    assert main(command(given, tmp_path / "two", **settings, max_steps=2)) == 0
    assert main(command(given, tmp_path / "two", **settings)) == 0
    assert [row["lr"] for row in log(tmp_path / "two")][2:] == pytest.approx([row["lr"] for row in rows[2:]])


def test_a_model_behind_an_endpoint_can_give_the_reward(given, tmp_path):
    with chat_server(lambda *_: "7") as server:
        reward = f'{{ kind = "endpoint", url = "{server.url}", model = "big" }}'
        assert main(command(given, tmp_path / "run", reward=reward, max_steps=1)) == 0
        assert server.requests
        # The same again: what was answered is not asked again, though the run is taken anew.
        before = len(server.requests)
        (tmp_path / "run" / "state.pt").unlink()
        assert main(command(given, tmp_path / "run", reward=reward, max_steps=1)) == 0
        assert len(server.requests) == before
    (row,) = log(tmp_path / "run")
    assert row["failed"] == 0 and row["reward/format"] == pytest.approx(0.25 * row["valid"])
    told = json.loads((tmp_path / "run" / "adapter" / "training.json").read_text())["reward"]
    assert (told["kind"], told["model"], told["concurrency"]) == ("endpoint", "big", 8)


def test_scores_are_of_the_rows_that_an_endpoint_answers(given, tmp_path, capsys):
    dataset.write(tmp_path / "dev", 9, 8)
    manifest = tmp_path / "dev" / "manifest.jsonl"
    rows = [{**row, "answers": ["7"], "question": f"Row {n % 3}?"} for n, row in enumerate(read_lines(manifest))]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    scored = {"eval_data": manifest, "eval_every": 1, "max_steps": 1}
    with chat_server(lambda text, _: 400 if "Row 0" in text else "7") as server:
        reward = f'{{ kind = "endpoint", url = "{server.url}", model = "big" }}'
        assert main(command(given, tmp_path / "run", reward=reward, **scored)) == 0
    (row,) = log(tmp_path / "run")
    assert row["eval/failed"] == pytest.approx(1 / 3) and row["eval/reward/accuracy"] == pytest.approx(1)
    assert row["eval/reward"] == pytest.approx(1 + row["eval/reward/format"])
    with chat_server(lambda text, _: 400 if "Row" in text else "7") as server:
        reward = f'{{ kind = "endpoint", url = "{server.url}", model = "big" }}'
        assert main(command(given, tmp_path / "none", reward=reward, **scored)) == 2
    assert "no row of eval_data has an answer; see that what the reward asks works" in capsys.readouterr().err
