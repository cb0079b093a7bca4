"""A run of GRPO that was broken off goes on to the same, and no other run goes on with its folder."""

from __future__ import annotations

import os
import signal
from itertools import count

import pytest
import torch
from support.runs.board import events
from support.runs.grpo import STEPS, command
from support.runs.run import assert_held, log, log_without_time, trained

from cropvlm_trainer.cli import main
from cropvlm_trainer.grpo import train as train_module
from cropvlm_trainer.idefics3.checkpoint import read_training


def stopped_after(step: int, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> int:
    """Runs a command, which gets SIGTERM in this step, and returns its exit status."""
    accumulate_gradients, steps = train_module.accumulate_gradients, count(1)

    def terminated(*args):
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return accumulate_gradients(*args)

    with monkeypatch.context() as patch:
        patch.setattr(train_module, "accumulate_gradients", terminated)
        return main(command)


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
    assert read_training(out / "last")["steps"] == 2, "an adapter at every save"
    assert main(command(given, out, **settings)) == 0
    assert log_without_time(out) == log_without_time(whole)
    assert [shown["step"] for shown in events(out)] == [1, 2, 3, 4]
    assert events(out)[2]["seconds"] == pytest.approx(log(out)[2]["seconds"]), "the later of two"
    assert torch.equal(trained(out), trained(whole))


def test_sigterm_saves_the_step_in_progress_and_the_run_goes_on(given, whole, tmp_path, monkeypatch, capsys):
    assert stopped_after(3, monkeypatch, command(given, tmp_path)) == 0
    assert "stopped after step 3 of 4; the same command goes on from there" in capsys.readouterr().out
    assert [row["step"] for row in log(tmp_path)] == [1, 2, 3] and not (tmp_path / "adapter").exists()
    assert main([*command(given, tmp_path), "--resume", "auto"]) == 0
    assert log_without_time(tmp_path) == log_without_time(whole)
    assert torch.equal(trained(tmp_path), trained(whole))


def test_a_run_goes_on_with_settings_that_change_no_mathematics(given, whole, tmp_path):
    assert main(command(given, tmp_path, max_steps=2)) == 0
    changed = {"sample_every": 0, "save_every": 3, "max_steps": STEPS}
    assert main(command(given, tmp_path, **changed)) == 0
    assert [row["step"] for row in log(tmp_path)] == [1, 2, 3, 4]
    # The learning rate of the steps after the change is that of a run of four steps.
    rates = [row["lr"] for row in log(whole)]
    assert [row["lr"] for row in log(tmp_path)][2:] == pytest.approx(rates[2:]) and rates[2] > 0
    assert not (tmp_path / "samples" / "step-000003").exists()


def test_a_run_goes_on_to_the_same_in_other_micro_batches(given, whole, tmp_path, monkeypatch):
    assert stopped_after(2, monkeypatch, command(given, tmp_path)) == 0
    assert main(command(given, tmp_path, micro_batch=4)) == 0
    rows, others = log(whole), log(tmp_path)
    for row, other in zip(rows, others, strict=True):
        # Not `kl`, whose mean over micro-batches counts the tokens of a small one more.
        for name in ("loss", "reward", "valid", "grad_norm", "lr"):
            assert other[name] == pytest.approx(row[name], rel=2e-3, abs=1e-5), (row["step"], name)
    difference = (trained(whole) - trained(tmp_path)).abs().max()
    assert difference < 2e-4, "Adam's first steps are of size 1e-3: both took the same ones"


def test_another_run_is_not_gone_on_with(given, whole, tmp_path, capsys):
    assert main(command(given, whole, beta=0.9)) == 2
    assert "holds a run with another beta; give another out" in capsys.readouterr().err
    assert_held(command, given, whole, capsys)
    assert main(command(given, whole, max_steps=2)) == 2
    assert "has taken 4 steps, past the 2 of max_steps" in capsys.readouterr().err
