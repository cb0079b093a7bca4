"""The script of the miniature, with a trainer that learns nothing: its parts, its choices, and what a kill costs."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.paths import TRAINER

FAKE = TRAINER / "tests/support/fake_trainer.py"


@pytest.fixture
def run(tmp_path):
    """Runs a copy of the script in a process group of its own, which dies at the command of this number."""
    here = tmp_path / "trainer/experiments/miniature"
    (here / "base").mkdir(parents=True)
    for name in ("training.json", "model.safetensors"):
        (here / "base" / name).write_text("{}")
    shutil.copy(TRAINER / "experiments/miniature/mini.sh", here)

    def run(kill: int = 0, **more: str) -> tuple[subprocess.CompletedProcess, list[str]]:
        calls = tmp_path / "calls"
        environment = {**os.environ, "FAKE_LOG": str(calls), "FAKE_KILL": str(kill), "PYTHONPATH": str(TRAINER)}
        environment |= {"CROPVLM_TRAIN": f"{sys.executable} -S {FAKE}", **more}
        command = ["sh", str(here / "mini.sh")]
        done = subprocess.run(command, env=environment, start_new_session=True, capture_output=True, text=True)
        # What a kill has ended may take a moment to be gone.
        for lock in (tmp_path / "trainer/runs").glob("*/lock"):
            with lock.open() as held:
                fcntl.flock(held, fcntl.LOCK_EX)
        return done, calls.read_text().splitlines()

    run.folder = tmp_path / "trainer"
    return run


def test_it_goes_on_after_kills_and_repeats_nothing_that_was_done(run):
    for kill in (6, 13, 30, 50):
        done, calls = run(kill, MINI_JOBS="1")
        assert (done.returncode, len(calls)) == (-signal.SIGKILL, kill)
    done, calls = run(MINI_JOBS="3")
    assert done.returncode == 0, done.stderr
    # What was killed is done again; splitting and the summaries, which take no time, are done at each start.
    again = {call: count for call, count in Counter(calls).items() if count > 1}
    assert [call for call in again if not call.startswith(("data split", "summary"))] == [
        calls[kill - 1] for kill in (6, 13, 30, 50) if not calls[kill - 1].startswith(("data split", "summary"))
    ]
    text = (run.folder / "experiments/miniature/results/miniature.md").read_text()
    for row in ("SFT, seeds by the grid search", "SFT, seeds by an OCR", "SFT, true boxes with the reader's margin"):
        assert f"| {row} |" in text
    assert "| SFT + GRPO, log-likelihood | 70.3 ± 0.6 |" in text
    assert "GRPO starts from text-sft; its reward is log_likelihood" in text and '"Give the box of the answer."' in text
    assert "the best cropper is 2/log_likelihood" in text
    assert not [call for call in calls if call.startswith("pretrain")], "the base lies beside the script"
    assert (run.folder / "runs/mini/base/checkpoint/model.safetensors").exists()
    tuned = [call for call in calls if call.startswith("grpo") and "pilot" not in call]
    assert [call.count("likelihood_floor=full") for call in tuned] == [1, 1, 1]
    held_out = [number for number, call in enumerate(calls) if "held-out" in call and call.startswith("eval")]
    learnt = [number for number, call in enumerate(calls) if call.startswith(("full-sft", "grpo"))]
    assert min(held_out) > max(learnt), "nothing is learnt or chosen once the held-out pages are scored"
    jobs = (run.folder / "runs/mini/times.tsv").read_text().splitlines()
    assert len({job.split("\t")[0] for job in jobs}) == 49


def test_the_base_is_trained_anew_where_that_is_wanted(run):
    done, calls = run(MINI_NEW_BASE="1")
    assert done.returncode == 0, done.stderr
    (base,) = [call for call in calls if call.startswith("pretrain")]
    assert "--no-boxes" in base and "--steps 4500" in base


def test_the_small_form_writes_elsewhere(run):
    done, calls = run(MINI_SMALL="1")
    assert done.returncode == 0, done.stderr
    assert (run.folder / "runs/mini-small/results/miniature.md").exists()
    assert not (run.folder / "runs/mini").exists() and not (run.folder / "data/mini").exists()
    assert not [call for call in calls if "data/mini/" in call or "runs/mini/" in call]


def test_a_job_that_fails_is_named_with_the_end_of_its_log(run):
    trainer = f"{sys.executable} -c raise(SystemExit('no_pages_today'))"
    done, _ = run_failing(run, trainer)
    assert done.returncode == 1
    assert "mini.sh: draw held-out 500 20261122 1 failed; the end of runs/mini/log/" in done.stderr
    assert "no_pages_today" in done.stderr


def run_failing(run, trainer: str):
    Path(run.folder.parent / "calls").touch()
    return run(CROPVLM_TRAIN=trainer)
