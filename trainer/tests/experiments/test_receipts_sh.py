"""The script of the receipts' cropper, with a trainer that learns nothing and a service that gives no box."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support.paths import TRAINER

from cropvlm_trainer.full_sft.config import TABLE, FullSftConfig
from cropvlm_trainer.training.config import load_config

TRAIN = r"""#!/bin/sh
# Writes the file that tells the script that a command is done. FAIL: a command that ends with an error; STOP:
# a training that SIGTERM ends; UNMARKED: receipts on which nobody has marked a line.
echo "$*" >> "$CALLS"
case "$*" in *"${FAIL:-no such command}"*) echo no_memory_today >&2; exit 1 ;; esac
value() { # OPTION, and the command line: what follows it
  option=$1; shift
  while [ $# -gt 1 ]; do [ "$1" = "$option" ] && { echo "$2"; return; }; shift; done
}
out=$(value --out "$@")
run=$(echo "$*" | sed -n 's/.* out=\([^ ]*\).*/\1/p')
case $1 in
  data)
    case $2 in
      build) mkdir -p "$out" ;;
      split)
        data=$(value --data "$@")
        touch "$data/train.jsonl"
        if [ -n "${UNMARKED:-}" ]; then row='{"id": "1"}'; else row='{"id": "1", "lines": []}'; fi
        echo "$row" > "$data/dev.jsonl" ;;
      seed) echo '{"id": "2", "kind": "label"}' > "$out" ;;
      synth) mkdir -p "$out"; touch "$out/manifest.jsonl" ;;
    esac ;;
  full-sft)
    case "$*" in
      *"${STOP:-no such command}"*) mkdir -p "$run/best" ;;
      *) mkdir -p "$run/checkpoint"; touch "$run/checkpoint/training.json" ;;
    esac ;;
  export) mkdir -p "$out"; touch "$out/cropvlm.json" ;;
  grpo)
    run=$(echo "$*" | sed -n 's/.*out=\([^ ]*\).*/\1/p')
    mkdir -p "$run/adapter"; touch "$run/adapter/training.json" ;;
esac
"""
NPM = """#!/bin/sh
# `npm run -s boxes -- QUESTIONS BOXES`
echo "boxes $CROPPER ${MODEL_PRECISION:-} ${CROPPER_MODEL:-} $6" >> "$CALLS"
touch "$6"
"""
PYTHON = """#!/bin/sh
echo "$*" >> "$CALLS"
"""


@pytest.fixture
def run(tmp_path):
    """Runs a copy of the script; returns what it printed and the commands that it has given so far."""
    here, tools = tmp_path / "trainer/experiments/receipts", tmp_path / "bin"
    for folder in (here, tools, tmp_path / "node_modules"):
        folder.mkdir(parents=True)
    shutil.copy(TRAINER / "experiments/receipts/receipts.sh", here)
    for name, text in {"train": TRAIN, "npm": NPM, "python": PYTHON}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    (tmp_path / "receipts.jsonl").touch()
    calls = tmp_path / "calls"

    def run(**more: str) -> tuple[subprocess.CompletedProcess, list[str]]:
        path = f"{tools}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "CALLS": str(calls), "CROPVLM_TRAIN": "train", "CROPVLM_PYTHON": "python"}
        environment |= {"RECEIPTS": str(tmp_path), **more}
        done = subprocess.run(["sh", str(here / "receipts.sh")], env=environment, capture_output=True, text=True)
        return done, calls.read_text().splitlines()

    run.runs = tmp_path / "trainer/runs/receipts"
    return run


@pytest.mark.parametrize("name", ["receipts.toml", "brief.toml", "last.toml", "large.toml"])
def test_a_configuration_is_one(name):
    path = TRAINER / "experiments/receipts" / name
    config = load_config({TABLE: FullSftConfig}, TABLE, path, {})
    assert config.data == (Path("data/receipts/train-seeded.jsonl"),) and config.texts and config.dev


def place(calls: list[str], *words: str) -> int:
    """The number of the one command that has all these words."""
    (at,) = [number for number, call in enumerate(calls) if all(word in call for word in words)]
    return at


def test_each_stage_starts_from_the_one_before(run):
    done, calls = run(ALONE="1", GRPO="1")
    assert done.returncode == 0, done.stderr
    both = place(calls, "full-sft", "out=runs/receipts/both-sft", "base=../models/cropvlm-mini", "receipts.toml")
    brief = place(calls, "full-sft", "out=runs/receipts/brief-sft", "base=runs/receipts/both-sft/best", "brief.toml")
    last = place(calls, "full-sft", "out=runs/receipts/receipts-sft", "base=runs/receipts/brief-sft/best", "last.toml")
    shipped = place(calls, "export", "runs/receipts/receipts-sft/best", "--id cropvlm-receipts")
    tuned = place(calls, "grpo", "grpo.toml")
    assert both < brief < last < shipped < tuned < place(calls, "export", "receipts-grpo/adapter", "--id receipts-grpo")
    assert 'data=["data/receipts/train-seeded.jsonl", "data/documents/manifest.jsonl"]' in calls[both]
    assert 'texts=["data/receipts/train-seeded.text.jsonl", "data/documents/manifest.text.jsonl"]' in calls[both]
    assert 'data=["data/receipts/train-seeded.jsonl"]' in calls[place(calls, "out=runs/receipts/receipts-alone")]
    assert 'data=["data/documents/manifest.jsonl"]' in calls[place(calls, "out=runs/receipts/documents-alone")]
    (int8,) = [call for call in calls if call.startswith("boxes") and "int8" in call]
    assert "onnx int8 trainer/runs/receipts/export/cropvlm-receipts " in int8
    prior, table = place(calls, "prior.py"), place(calls, "table.py")
    assert prior < table == len(calls) - 1
    assert calls[table].split("results/receipts.md ")[1].split()[0] == "runs/receipts/cropvlm-receipts.jsonl"
    assert (run.runs.parent.parent / "data/receipts/dev-questions.jsonl").read_text().count("\n") == 2


def test_a_stage_that_fails_is_named_and_none_is_built_on_it(run):
    done, calls = run(FAIL="out=runs/receipts/receipts-sft", ALONE="1")
    assert done.returncode == 1
    assert "a training failed; see cropvlm-receipts.out in runs/receipts" in done.stderr
    assert "no_memory_today" in (run.runs / "cropvlm-receipts.out").read_text()
    assert not [call for call in calls if call.startswith(("boxes", "grpo"))]
    assert place(calls, "export", "--id documents-alone"), "the other trainings go on to their end"


def test_a_training_that_was_stopped_is_not_shipped(run):
    done, calls = run(STOP="out=runs/receipts/receipts-sft")
    assert done.returncode == 1
    assert "receipts-sft was stopped; run this again" in (run.runs / "cropvlm-receipts.out").read_text()
    assert not [call for call in calls if call.startswith(("export", "grpo", "boxes"))]
    assert run()[0].returncode == 0


def test_the_rivals_of_the_table_are_trained_where_they_are_wanted(run):
    done, calls = run()
    assert done.returncode == 0, done.stderr
    assert not [call for call in calls if "alone" in call or "grpo" in call]
    shown = calls[place(calls, "table.py")].split("results/receipts.md ")[1]
    of = "cropvlm-receipts cropvlm-receipts-int8 text position-prior cropvlm-mini"
    assert shown.split() == [f"runs/receipts/{name}.jsonl" for name in of.split()]


def test_once_more_nothing_is_trained_or_drawn_twice(run):
    first = len(run()[1])
    done, calls = run()
    assert done.returncode == 0, done.stderr
    assert {call.split()[0] for call in calls[first:]} == {"data", "verify"} | {
        f"experiments/receipts/{name}.py" for name in ("prior", "table")
    }
    assert not [call for call in calls[first:] if call.startswith(("data seed", "data synth"))]


def test_another_configuration_has_runs_and_a_table_of_its_own(run):
    run(GRPO="1")
    done, calls = run(GRPO="1", CONFIG="experiments/receipts/large.toml")
    assert done.returncode == 0, done.stderr
    place(calls, "full-sft", "out=runs/receipts-large/both-sft", "large.toml")
    tuned = calls[place(calls, "grpo", "out=runs/receipts-large/receipts-grpo")]
    assert "base=runs/receipts-large/receipts-sft/best" in tuned
    assert "results/receipts-large.md" in calls[-1]


def test_receipts_that_are_not_there_are_named(run, tmp_path):
    run()
    done, _ = run(RECEIPTS=str(tmp_path / "none"))
    assert done.returncode == 1
    assert f"there is no {tmp_path}/none/receipts.jsonl; set RECEIPTS to the folder" in done.stderr


def test_what_a_kill_has_left_running_is_not_run_twice(run):
    run()
    with (run.runs / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done, _ = run()
        assert done.returncode == 1
        assert "another one, or a training that one has left, is running in runs/receipts; end it first" in done.stderr
    assert run()[0].returncode == 0


def test_questions_without_marked_lines_have_those_of_the_ocr(run):
    run(UNMARKED="1")
    text = (run.runs.parent.parent / "data/receipts/dev-questions.jsonl").read_text()
    assert [json.loads(row)["id"] for row in text.splitlines()] == ["2"]


def test_other_pages_have_another_name(run, tmp_path):
    run()
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours/receipts.jsonl").touch()
    done, _ = run(RECEIPTS=str(tmp_path / "ours"))
    assert done.returncode == 1
    assert f"data/receipts has other pages than {tmp_path}/ours; give these another NAME" in done.stderr
    done, calls = run(RECEIPTS=str(tmp_path / "ours"), NAME="ours")
    assert done.returncode == 0, done.stderr
    trained = calls[place(calls, "full-sft", "out=runs/ours/both-sft")]
    assert "dev=data/ours/dev-seeded.jsonl" in trained and '"data/ours/train-seeded.jsonl"' in trained
    assert "results/ours.md" in calls[-1]
