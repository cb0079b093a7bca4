"""A run of SFT that was broken off goes on to the same, and no other run goes on with its folder."""

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
from support.paths import TRAINER
from support.runs.run import assert_held, log_without_time
from support.runs.sft import adapter, command, same
from transformers import Trainer

from cropvlm_trainer.cli import main
from cropvlm_trainer.idefics3.checkpoint import read_training
from cropvlm_trainer.sft.recorder import Recorder
from cropvlm_trainer.sft.train import last_checkpoint, step_of


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
    assert [row["step"] for row in log_without_time(tmp_path)] == list(range(1, killed_after + 1))
    assert not (tmp_path / "adapter").exists()
    # an adapter at every save, which is at every second step
    saved = read_training(tmp_path / "last").get("steps") if (tmp_path / "last").exists() else None
    assert saved == {1: None, 3: 2}[killed_after]
    assert main(command(given, tmp_path, sample_every=4)) == 0
    assert log_without_time(tmp_path) == log_without_time(whole)
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
    assert log_without_time(tmp_path) == log_without_time(whole)
    assert same(tmp_path, whole)


def test_a_finished_run_writes_its_adapter_anew(given, whole, tmp_path):
    out = tmp_path / "again"
    shutil.copytree(whole, out)
    shutil.rmtree(out / "adapter")
    # The folder's name is a setting, too.
    config = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(config | {"out": str(out)}))
    assert main(command(given, out, sample_every=4)) == 0
    assert log_without_time(out) == log_without_time(whole)
    assert same(out, whole)


def stopped_after(step: int, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> int:
    """Runs a command, which gets SIGTERM in this step, and returns its exit status."""
    on_log = Recorder.on_log

    def terminated(self, args, state, control, **named):
        on_log(self, args, state, control, **named)
        if state.global_step == step - 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "on_log", terminated)
        return main(command)


def test_sigterm_saves_the_step_in_progress_and_the_run_goes_on(given, whole, tmp_path, monkeypatch, capsys):
    assert stopped_after(3, monkeypatch, command(given, tmp_path, sample_every=4, save_every=5)) == 0
    assert "stopped after step 3 of 5; the same command goes on from there" in capsys.readouterr().out
    assert [row["step"] for row in log_without_time(tmp_path)] == [1, 2, 3] and not (tmp_path / "adapter").exists()
    assert main([*command(given, tmp_path, sample_every=4), "--resume", "auto"]) == 0
    assert log_without_time(tmp_path) == log_without_time(whole)
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
    taken = len(log_without_time(tmp_path))
    assert (run.returncode, f"stopped after step {taken} of 900" in said) == (0, True)
    assert last_checkpoint(tmp_path / "state").name == f"checkpoint-{taken}"


def test_a_run_goes_on_with_settings_that_change_no_mathematics(given, whole, tmp_path):
    assert main(command(given, tmp_path, max_steps=2)) == 0
    assert main(command(given, tmp_path, sample_every=3, save_every=1, workers=1)) == 0
    rows, others = log_without_time(whole), log_without_time(tmp_path)
    assert [row["step"] for row in others] == [1, 2, 3, 4, 5]
    # The learning rate of the steps after the change is that of a run of five steps.
    assert [row["lr"] for row in others[2:]] == pytest.approx([row["lr"] for row in rows[2:]])
    assert (tmp_path / "samples" / "step-000003").exists()


def test_a_run_goes_on_to_the_same_in_other_micro_batches(given, tmp_path, monkeypatch):
    settings = {"lora.dropout": 0.0}
    assert main(command(given, tmp_path / "whole", **settings)) == 0
    assert stopped_after(2, monkeypatch, command(given, tmp_path / "two", **settings)) == 0
    assert main(command(given, tmp_path / "two", micro_batch=4, **settings)) == 0
    rows, others = log_without_time(tmp_path / "whole"), log_without_time(tmp_path / "two")
    for row, other in zip(rows, others, strict=True):
        assert other == pytest.approx(row, rel=1e-3)
    ours, theirs = adapter(tmp_path / "whole"), adapter(tmp_path / "two")
    assert max((ours[key] - theirs[key]).abs().max() for key in ours) < 2e-4, "Adam's steps are of size 3e-3"


def test_scoring_may_begin_and_end_when_a_run_goes_on_but_not_on_other_rows(given, tmp_path, capsys):
    manifest = given / "pages" / "manifest.jsonl"
    few = manifest.with_name("few.jsonl")
    few.write_text("".join(manifest.read_text().splitlines(keepends=True)[:2]))
    assert main(command(given, tmp_path, max_steps=1)) == 0
    assert main(command(given, tmp_path, max_steps=2, eval_data=few, eval_every=1)) == 0
    assert main(command(given, tmp_path, max_steps=3)) == 0
    assert ["eval/iou" in row for row in log_without_time(tmp_path)] == [False, True, False]
    assert read_training(tmp_path / "best")["steps"] == 2
    assert main(command(given, tmp_path, eval_data=manifest, eval_every=1)) == 2
    assert f"another eval_data (the content of {manifest}); give another out" in capsys.readouterr().err


def test_another_run_is_not_gone_on_with(given, whole, capsys):
    assert main(command(given, whole, learning_rate=1e-4, sample_every=4, **{"lora.r": 8})) == 2
    assert "holds a run with another learning_rate, lora; give another out" in capsys.readouterr().err
    assert_held(command, given, whole, capsys)
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
