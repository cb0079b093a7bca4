"""GRPO runs on a tiny model that writes boxes: resuming, two processes, files and errors."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import PeftModel
from PIL import Image
from support.chat_server import chat_server
from support.processes import launch_two, run_in_two
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cropvlm_trainer.boxes import taught_region, to_box
from cropvlm_trainer.cli import main
from cropvlm_trainer.contract import cropper_prompt, format_box
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.grpo import train as train_module
from cropvlm_trainer.grpo.step import StepOutcome
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, save_checkpoint
from cropvlm_trainer.idefics3.forward import Batch, answer_loss
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import PromptBuilder
from cropvlm_trainer.idefics3.reward_model import Example

STEPS = 4


def batch_of_pages(builder: PromptBuilder, index: int) -> Batch:
    """The first questions about two pages, with their boxes."""
    pages = [dataset.make_page(1, 2 * index + number)[0] for number in range(2)]
    cut = torch.tensor(np.stack([tiles(page.image, TINY.tile, TINY.tile)[0] for page in pages]))
    asked = [(number, page, question) for number, page in enumerate(pages) for question in page.questions[:4]]
    rows = [
        builder.encode(
            1, cropper_prompt(question.text), format_box(to_box(taught_region(page.to_percent(question.evidence_rect))))
        )
        for _, page, question in asked
    ]
    return Batch(cut, torch.tensor([[number] for number, *_ in asked]), *builder.collate(rows))


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """A folder with `base`, a tiny checkpoint that has learnt to write boxes (anywhere), and pages with questions."""
    out = tmp_path_factory.mktemp("given")
    model, tokenizer = tiny_model(2), tiny_tokenizer()
    builder = PromptBuilder(tokenizer, TINY.tokens_per_tile)
    batches = [batch_of_pages(builder, index) for index in range(8)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model.train()
    for step in range(300):
        loss, _ = answer_loss(model, batches[step % len(batches)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    save_checkpoint(model.eval(), TINY, tokenizer, out / "base", TRAINING)
    dataset.write(out / "pages", 12, 5)
    return out


def command(given: Path, out: Path, **other) -> list[str]:
    values = {
        "base": given / "base",
        "data": given / "pages" / "manifest.jsonl",
        "out": out,
        "resolution": 64,
        "reward_resolution": 64,
        "group": 4,
        "temperature": 0.8,
        "beta": 0.05,
        "max_new_tokens": 20,
        "learning_rate": 1e-3,
        "batch": 4,
        "micro_batch": 2,
        "epochs": 2,
        "max_steps": STEPS,
        "precision": "fp32",
        "save_every": 2,
        "sample_every": 3,
        "lora.r": 4,
        "lora.alpha": 8,
        "lora.dropout": 0.0,
        **other,
    }
    return ["grpo", *(part for key, value in values.items() for part in ("--set", f"{key}={value}"))]


def log(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def events(out: Path) -> list[dict]:
    """TensorBoard's points as rows like the log's."""
    accumulator = EventAccumulator(str(out / "events"), size_guidance={"scalars": 0})
    accumulator.Reload()
    rows: dict[int, dict] = {}
    for name in accumulator.Tags()["scalars"]:
        for event in accumulator.Scalars(name):
            row = rows.setdefault(event.step, {"step": event.step})
            assert name not in row, f"{name} stands twice at step {event.step}"
            row[name] = event.value
    return [rows[step] for step in sorted(rows)]


def adapter(out: Path) -> torch.Tensor:
    parts = torch.load(out / "state.pt", weights_only=True)["trained"]
    return torch.cat([part.flatten() for part in parts])


@pytest.fixture(scope="module")
def whole(given, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    assert main(command(given, out)) == 0
    return out


def without_time(rows: list[dict]) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


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
    assert sum(p.numel() for p in saved) == adapter(whole).numel()
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


@pytest.mark.parametrize("settings", [{}, {"lora.dropout": 0.1}])
def test_a_killed_run_resumes_to_the_same_losses(given, whole, tmp_path, monkeypatch, settings):
    if settings:
        whole = tmp_path / "whole"
        assert main(command(given, whole, **settings)) == 0
    out, taken = tmp_path / "killed", iter(range(STEPS))
    accumulate_gradients = train_module.accumulate_gradients

    def killed(*args):
        if next(taken) == 3:
            raise KeyboardInterrupt
        return accumulate_gradients(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_module, "accumulate_gradients", killed)
        main(command(given, out, **settings))
    assert [row["step"] for row in log(out)] == [1, 2, 3], "step 3 is logged but not saved: it is taken again"
    assert main(command(given, out, **settings)) == 0
    assert without_time(log(out)) == without_time(log(whole))
    assert [shown["step"] for shown in events(out)] == [1, 2, 3, 4]
    assert events(out)[2]["seconds"] == pytest.approx(log(out)[2]["seconds"]), "the later of two"
    assert torch.equal(adapter(out), adapter(whole))


def test_two_processes_are_one(given, whole, tmp_path):
    run_in_two(command(given, tmp_path / "two"), tmp_path / "world")
    one, two = log(whole), log(tmp_path / "two")
    assert len(one) == len(two) == STEPS
    for row, other in zip(one, two, strict=True):
        for name in ("loss", "reward", "kl", "valid", "area", "grad_norm"):
            assert other[name] == pytest.approx(row[name], rel=2e-3, abs=1e-5), (row["step"], name)
    difference = (adapter(whole) - adapter(tmp_path / "two")).abs().max()
    assert difference < 2e-4, "Adam's first steps are of size 1e-3: the processes took the same ones"


def test_without_a_shared_disk_all_go_on_with_what_the_first_process_has(given, whole, tmp_path):
    """Each process has a run folder of its own, as on two machines; the second's has no state."""
    scored = {"eval_data": given / "pages" / "manifest.jsonl", "eval_every": 2}
    run_in_two(command(given, tmp_path / "out-RANK", **scored, max_steps=2), tmp_path / "world")
    assert (tmp_path / "out-0" / "state.pt").exists() and not (tmp_path / "out-1").exists()
    run_in_two(command(given, tmp_path / "out-RANK", **scored), tmp_path / "again")
    assert [row["step"] for row in log(tmp_path / "out-0")] == [1, 2, 3, 4]
    assert [row["step"] for row in log(tmp_path / "out-0") if "eval/reward" in row] == [2, 4]
    assert log(tmp_path / "out-0")[-1]["reward"] == pytest.approx(log(whole)[-1]["reward"], rel=2e-3)
    # The first two steps were those of a schedule of two steps, so the adapter is another than `whole`'s.
    assert (adapter(whole) - adapter(tmp_path / "out-0")).abs().max() < 2e-3
    rows = given / "pages" / "manifest-1.jsonl"
    rows.write_text((given / "pages" / "manifest.jsonl").read_text().replace("What", "what", 1))
    (given / "pages" / "manifest-0.jsonl").write_text((given / "pages" / "manifest.jsonl").read_text())
    other = launch_two(
        command(given, tmp_path / "other", data=rows.with_name("manifest-RANK.jsonl")), tmp_path / "third"
    )
    assert other.returncode != 0
    assert "process 1 has another data (" in other.stderr and "give all processes the same" in other.stderr


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
    assert without_time(rows)[0] == without_time(log(whole))[0], "scoring changes no training"
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


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"reward": '{ kind = "endpoint", url = "http://x/v1" }'}, "reward.model is not set"),
        (
            {"reward": '{ kind = "endpoint", url = "http://x/v1", model = "m", timeout = 0 }'},
            "reward.timeout must be above 0; it is in seconds",
        ),
        ({"reward": '{ kind = "endpoint", url = "x/v1", model = "m" }'}, "reward.url x/v1 must start with http"),
        (
            {"reward": '{ kind = "endpoint", uri = "x" }'},
            "unknown key reward.uri; known here are kind, url, model, prompt",
        ),
        (
            {"measure": "beauty"},
            "measure = 'beauty' is none of own, exact_match, vqa_accuracy, anls, contains, contains_anls, nor",
        ),
        ({"mu": 0}, "mu must be 1 or more"),
        ({"epsilon": 1.0}, "epsilon must be below 1; PPO has 0.2"),
        ({"epsilon_high": 0}, "epsilon_high must be above 0; DAPO has 0.28"),
        ({"invalid": "nothing"}, "invalid = 'nothing' is not 'full', 'penalty' or '2x2'"),
        ({"group": 1}, "group must be 2 or more"),
        ({"sample_every": -1}, "sample_every must be 0 or more"),
        ({"max_steps": 0}, "max_steps must be 1 or more"),
        ({"batch": 5}, "must be a multiple of micro_batch"),
        ({"batch": 40, "micro_batch": 40}, "has 12 questions, less than a batch of 40"),
        ({"resolution": 100}, "resolution 100 must be a multiple of the model's tiles, 64 pixels"),
        ({"resolution": 64 * 64}, "resolution 4096 is too large"),
        ({"temperature": 0}, "temperature must be above 0"),
        ({"max_new_tokens": 0}, "max_new_tokens must be 1 or more"),
        ({"beta": -1}, "beta must be 0 or more"),
        ({"reward": "beauty"}, "reward = 'beauty' is not 'log_likelihood' or 'accuracy'"),
        ({"data": "nowhere.jsonl"}, "nowhere.jsonl is not a file"),
    ],
)
def test_what_cannot_be_trained_is_named(given, tmp_path, capsys, other, message):
    assert main(command(given, tmp_path, **other)) == 2
    assert message in capsys.readouterr().err


def test_another_run_is_not_gone_on_with(given, whole, tmp_path, capsys):
    assert main(command(given, whole, beta=0.9)) == 2
    assert "holds a run with another beta; give another out" in capsys.readouterr().err
    rows = given / "pages" / "other.jsonl"
    rows.write_text((given / "pages" / "manifest.jsonl").read_text().replace("What", "what", 1))
    assert main(command(given, whole, data=rows)) == 2
    assert f"holds a run with another data (the content of {rows}); give another out" in capsys.readouterr().err
    assert main([*command(given, whole), "--resume", "never"]) == 2
    assert "holds a run; give another out, or --resume auto to go on with it" in capsys.readouterr().err
    assert main(command(given, whole, max_steps=2)) == 2
    assert "has taken 4 steps, past the 2 of max_steps" in capsys.readouterr().err


def test_a_run_goes_on_with_settings_that_change_no_mathematics(given, whole, tmp_path):
    assert main(command(given, tmp_path, max_steps=2)) == 0
    changed = {"micro_batch": 4, "sample_every": 0, "save_every": 3, "max_steps": STEPS}
    assert main(command(given, tmp_path, **changed)) == 0
    assert [row["step"] for row in log(tmp_path)] == [1, 2, 3, 4]
    # The learning rate of the steps after the change is that of a run of four steps.
    rates = [row["lr"] for row in log(whole)]
    assert [row["lr"] for row in log(tmp_path)][2:] == pytest.approx(rates[2:]) and rates[2] > 0
    assert not (tmp_path / "samples" / "step-000003").exists()


def test_sigterm_saves_the_step_in_progress_and_the_run_goes_on(given, whole, tmp_path, monkeypatch, capsys):
    accumulate_gradients = train_module.accumulate_gradients

    def terminated(config, accelerator, policy, compute_loss, rows, index, watch=None):
        if index == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return accumulate_gradients(config, accelerator, policy, compute_loss, rows, index, watch)

    with monkeypatch.context() as patch:
        patch.setattr(train_module, "accumulate_gradients", terminated)
        assert main(command(given, tmp_path)) == 0
    assert "stopped after step 3 of 4; the same command goes on from there" in capsys.readouterr().out
    assert [row["step"] for row in log(tmp_path)] == [1, 2, 3] and not (tmp_path / "adapter").exists()
    assert main([*command(given, tmp_path), "--resume", "auto"]) == 0
    assert without_time(log(tmp_path)) == without_time(log(whole))
    assert torch.equal(adapter(tmp_path), adapter(whole))


def test_an_error_names_its_rows(given, tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise ValueError("no memory")

    monkeypatch.setattr(train_module.Step, "draw", broken)
    assert main(command(given, tmp_path)) == 2
    error = capsys.readouterr().err
    assert "no memory (in step 1, with the rows synth-5-" in error and error.count("synth-5-") == 2
