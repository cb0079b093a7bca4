"""Rewards of another model are computed while boxes are drawn, and nothing else about a run changes by it."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from support.chat_server import chat_server
from support.lines import read_lines
from support.runs.run import TINY_RUN, log_without_time, run_command, trained, write_base_and_pages

from cropvlm_trainer.cli import main
from cropvlm_trainer.grpo import accumulate
from cropvlm_trainer.grpo import train as train_module
from cropvlm_trainer.grpo.reward.asked import Apart
from cropvlm_trainer.grpo.reward.rewards import OtherModel
from cropvlm_trainer.grpo.step import Step


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    return write_base_and_pages(tmp_path_factory.mktemp("given"), 8)


@pytest.fixture
def interruptible():
    """Where the tests run in the background of a shell, SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def command(given: Path, out: Path, **other) -> list[str]:
    settings = {"reward_resolution": 64, "group": 3, "beta": 0.05, "max_new_tokens": 4, "batch": 6, "micro_batch": 1}
    settings |= {"max_steps": 3, "epochs": 3, "save_every": 1, "lora.dropout": 0.1}
    return run_command("grpo", given, out, {**TINY_RUN, **settings, **other})


def endpoint(url: str, **more) -> str:
    return (
        "{ "
        + ", ".join(f"{k} = {json.dumps(v)}" for k, v in {"kind": "endpoint", "url": url, "model": "m", **more}.items())
        + " }"
    )


def some_worth(examples, boxes) -> torch.Tensor:
    """Another value for each question and place in its group."""

    def value(question: str, place: int) -> float:
        return hashlib.sha256(f"{question}/{place}".encode()).digest()[0] / 255

    return torch.tensor([[value(e.question, n) for n in range(len(g))] for e, g in zip(examples, boxes, strict=True)])


def with_reward(patch, function, apart: bool) -> None:
    def made(config, policy, *_):
        return OtherModel(Apart(function) if apart else function, "accuracy", policy, "full")

    patch.setattr(train_module, "make_reward", made)


def test_a_run_that_overlaps_is_one_that_waits_bit_for_bit(given, tmp_path, monkeypatch):
    settings = {"reward": "accuracy", "measure": "exact_match"}
    with monkeypatch.context() as patch:
        with_reward(patch, some_worth, apart=False)
        assert main(command(given, tmp_path / "waits", **settings)) == 0
    assert all(row["grad_norm"] > 0 and row["spread"] > 0 for row in log_without_time(tmp_path / "waits"))
    with monkeypatch.context() as patch:
        with_reward(patch, some_worth, apart=True)
        for ahead in (0, 2, 9):
            out = tmp_path / f"ahead-{ahead}"
            assert main(command(given, out, **settings, rollouts_ahead=ahead)) == 0
            assert log_without_time(out) == log_without_time(tmp_path / "waits")
            assert torch.equal(trained(out), trained(tmp_path / "waits"))
        # Several updates with what was drawn once take it in the same order.
        assert main(command(given, tmp_path / "mu", **settings, mu=2, rollouts_ahead=4)) == 0
        with_reward(patch, some_worth, apart=False)
        assert main(command(given, tmp_path / "mu-waits", **settings, mu=2)) == 0
        assert torch.equal(trained(tmp_path / "mu"), trained(tmp_path / "mu-waits"))


def test_the_next_steps_questions_are_prepared_while_this_one_trains(given, tmp_path, monkeypatch):
    """By several threads also where a step is one micro-batch. A run that prepares no step ahead would not end."""
    settings = {"reward": "accuracy", "measure": "exact_match", "batch": 4, "micro_batch": 4, "max_steps": 2}
    begun, next_step, pair = [], threading.Event(), threading.Barrier(2)
    draw, read = train_module.Step.draw, accumulate.to_example

    def to_example(row, folder):
        begun.append(row["id"])
        pair.wait(60)
        if len(begun) > 4:
            next_step.set()
        return read(row, folder)

    def waiting(*args):
        assert next_step.wait(60)
        return draw(*args)

    with_reward(monkeypatch, some_worth, apart=False)
    assert main(command(given, tmp_path / "alone", **settings, workers=0)) == 0
    with monkeypatch.context() as patch:
        patch.setattr(train_module.Step, "draw", waiting)
        patch.setattr(accumulate, "to_example", to_example)
        assert main(command(given, tmp_path / "ahead", **settings, workers=2)) == 0
    assert len(begun) == 8
    assert log_without_time(tmp_path / "ahead") == log_without_time(tmp_path / "alone")
    assert torch.equal(trained(tmp_path / "ahead"), trained(tmp_path / "alone"))


def test_a_run_that_was_broken_off_while_it_waited_goes_on_to_the_same(given, tmp_path, monkeypatch, interruptible):
    settings = {"reward": "accuracy", "measure": "exact_match"}
    calls = []

    def broken(examples, boxes):
        calls.append(1)
        if len(calls) == 9:
            os.kill(os.getpid(), signal.SIGINT)
        return some_worth(examples, boxes)

    with monkeypatch.context() as patch:
        with_reward(patch, some_worth, apart=False)
        assert main(command(given, tmp_path / "whole", **settings)) == 0
        with_reward(patch, broken, apart=True)
        with pytest.raises(KeyboardInterrupt):
            main(command(given, tmp_path / "killed", **settings))
        assert [row["step"] for row in log_without_time(tmp_path / "killed")] == [1]
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("reward")]
        with_reward(patch, some_worth, apart=True)
        assert main(command(given, tmp_path / "killed", **settings, rollouts_ahead=1)) == 0
    assert log_without_time(tmp_path / "killed") == log_without_time(tmp_path / "whole")
    assert torch.equal(trained(tmp_path / "killed"), trained(tmp_path / "whole"))


def test_the_next_boxes_are_drawn_while_an_endpoint_thinks(given, tmp_path):
    """The first micro-batches are answered only when the third has been asked about: a run that waits would not end."""
    third = threading.Event()

    def behave(*_):
        with server.lock:
            parts = [body["messages"][0]["content"] for body in server.requests]
            if len({(each[0]["image_url"]["url"], each[-1]["text"]) for each in parts}) >= 3:
                third.set()
        assert third.wait(60)
        return "7"

    with chat_server(behave) as server:
        reward = endpoint(server.url, concurrency=64)
        assert main(command(given, tmp_path, reward=reward, rollouts_ahead=2, max_steps=1)) == 0
    assert third.is_set() and log_without_time(tmp_path)[0]["failed"] == 0


def test_an_ocr_can_give_the_reward(given, tmp_path, monkeypatch):
    """The step's boxes are given: the line that shows the answer, another line, and none, which is the whole page."""
    pytest.importorskip("rapidocr", reason="the OCR is not installed: pip install -e '.[ocr]'")
    page = Image.new("RGB", (800, 1000), "white")
    for line, y in {"Date: 2024-03-17": 260, "Total 11.90": 700}.items():
        ImageDraw.Draw(page).text((100, y), line, "black", font=ImageFont.load_default(14))
    page.save(tmp_path / "page.png")
    row = {"id": "total", "image": "page.png", "question": "What is the total?", "answers": ["11.90"]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    boxes, outcomes = [(10, 68, 26, 74), (10, 24, 30, 30), None], []
    monkeypatch.setattr(Step, "parse_boxes", lambda *_: [boxes])
    finish = Step.finish

    def finished(step, rollout):
        found = finish(step, rollout)
        outcomes.append(step.outcome)
        return found

    monkeypatch.setattr(Step, "finish", finished)
    reward = '{ kind = "reader", longest_edge = 160, processes = 1 }'
    settings = {"data": tmp_path / "rows.jsonl", "reward": reward, "size_weight": 0.5, "batch": 1, "epochs": 1}
    assert main(command(given, tmp_path / "run", **settings)) == 0
    (outcome,) = outcomes
    rewards = {name: values[0].tolist() for name, values in outcome.rewards.items()}
    assert rewards["accuracy"] == [1.0, 0.0, 0.0], "the page is too small to be read at 160 pixels"
    assert rewards["size"] == pytest.approx([-0.0048, -0.006, -0.5]) and rewards["format"] == [0.25, 0.25, 0.0]
    (row,) = log_without_time(tmp_path / "run")
    assert row["failed"] == 0 and row["spread/accuracy"] > 0 and row["grad_norm"] > 0
    texts = [each["answer"] for each in read_lines(tmp_path / "run" / "reward.answers.jsonl")]
    assert len(texts) == 3 and texts[0].endswith("11.90") and "11.90" not in texts[1] + texts[2]
    assert multiprocessing.active_children() == []


def test_an_error_names_the_rows_whose_reward_it_is(given, tmp_path, capsys):
    with chat_server(lambda *_: 404) as server:
        assert main(command(given, tmp_path, reward=endpoint(server.url), micro_batch=2, rollouts_ahead=1)) == 2
    error = capsys.readouterr().err
    assert "check reward.model" in error and "in step 1, with the rows synth-5-" in error
    assert error.count("synth-5-") == 2, "those of its micro-batch, though the next has been drawn"
    assert "endpoint" not in [thread.name for thread in threading.enumerate()]


def test_an_interrupt_leaves_no_thread(given, tmp_path, interruptible):
    asked = threading.Event()

    def behave(*_):
        if not asked.is_set():
            asked.set()
            os.kill(os.getpid(), signal.SIGINT)
        return "stall"

    with chat_server(behave) as server, pytest.raises(KeyboardInterrupt):
        main(command(given, tmp_path, reward=endpoint(server.url), rollouts_ahead=1))
    assert "endpoint" not in [thread.name for thread in threading.enumerate()]
