"""A run of all weights on pages: it learns, goes on after a kill as if there had been none, and keeps its best."""

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
from support.paths import TRAINER
from support.runs.run import log, setting_options

from cropvlm_trainer.cli import main
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import load_checkpoint, read_training, save_checkpoint
from cropvlm_trainer.pretrain import loop
from cropvlm_trainer.pretrain.loop import steps_taken


def command(given: Path, out: Path, *more: str, **settings: object) -> list[str]:
    pages = given / "pages"
    keys = {"base": given / "base", "data": pages / "seeded.jsonl", "out": out, "tile": 128, "patch": 16}
    keys |= {"texts": pages / "seeded.text.jsonl", "steps": 4, "batch": 3, "warmup": 2, "seed": 3} | settings
    return ["full-sft", *setting_options(keys), *more]


def test_a_run_learns_where_the_line_is(given, tmp_path):
    dev = given / "pages/seeded.jsonl"
    settings = {"steps": 150, "save_every": 50, "learning_rate": 2e-3, "matrix_learning_rate": 4e-3, "augment": 0.2}
    assert main(command(given, tmp_path / "run", dev=dev, **settings)) == 0
    first, *_, last = log(tmp_path / "run")
    assert last["boxes"] < 0.6 * first["boxes"] and last["seeing"] < first["seeing"]
    assert last["digits"] > first["digits"]
    model, _ = load_checkpoint(tmp_path / "run/checkpoint")
    assert model.config.vision_config.image_size == 128 and model.config.vision_config.patch_size == 16
    best = read_training(tmp_path / "run/best")
    found = max(log(tmp_path / "run"), key=lambda row: row["dev_hit"])
    assert (best["steps"], best["eval"]["dev_hit"]) == (found["step"], found["dev_hit"])
    assert best["shape"]["tile"] == 128 and best["recipe"] == "full-sft"


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(given, tmp_path):
    assert main(command(given, tmp_path / "whole")) == 0
    assert main(command(given, tmp_path / "parts", "--stop-at", "2")) == 0
    assert main(command(given, tmp_path / "parts")) == 0
    whole, parts = (load_checkpoint(tmp_path / name / "checkpoint")[0].state_dict() for name in ("whole", "parts"))
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []
    assert [row["step"] for row in log(tmp_path / "parts")] == [2, 4]


def test_sigterm_to_the_whole_group_ends_no_worker(given, tmp_path):
    """As a cluster's scheduler sends it: to the run and to the processes that make its batches."""
    settings = {"workers": 2, "steps": 9000, "save_every": 9000}
    program = [sys.executable, "-m", "cropvlm_trainer.cli", *command(given, tmp_path, **settings)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, cwd=TRAINER, start_new_session=True, **pipes) as run:
        rows = tmp_path / "log.jsonl"
        while run.poll() is None and not (rows.exists() and rows.read_text()):
            time.sleep(0.05)
        os.killpg(run.pid, signal.SIGTERM)
        said, errors = run.communicate(timeout=120)
    assert (run.returncode, "Traceback" in errors) == (0, False)
    taken = steps_taken(tmp_path)
    assert taken >= 50 and not (tmp_path / "checkpoint").exists()
    assert f"stopped after step {taken} of 9000; the same command goes on from there" in said
    assert main(command(given, tmp_path, "--stop-at", str(taken + 1), **settings)) == 0
    assert log(tmp_path)[-1]["step"] == taken + 1


def test_a_best_that_a_killed_run_left_without_a_state_is_not_the_next_ones(given, tmp_path):
    stale = tmp_path / "run/best"
    stale.mkdir(parents=True)
    (stale / "training.json").write_text(json.dumps({"recipe": "full-sft", "steps": 2, "eval": {"score": 1.0}}))
    assert main(command(given, tmp_path / "run", dev=given / "pages/seeded.jsonl")) == 0
    (row,) = log(tmp_path / "run")
    assert row["dev_hit"] < 1 and read_training(stale)["eval"]["score"] == row["dev_hit"]
    assert load_checkpoint(stale)


def test_another_run_in_the_folder_is_refused(given, tmp_path, capsys):
    assert main(command(given, tmp_path / "run", "--stop-at", "1")) == 0
    assert main(command(given, tmp_path / "run", augment=0.5)) == 2
    assert "another" in (message := capsys.readouterr().err) and "augment" in message
    save_checkpoint(tiny_model(5), TINY, tiny_tokenizer(), tmp_path / "other", TRAINING)
    assert main(command(given, tmp_path / "run", base=tmp_path / "other")) == 2
    assert f"another base (the content of {tmp_path / 'other'})" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "named", "texts"),
    [
        ("seeded.jsonl", "data", []),
        ("images/0.png", "data", []),
        ("seeded.text.jsonl", "texts", "seeded.text.jsonl"),
    ],
)
def test_changed_files_are_named(given, tmp_path, capsys, monkeypatch, file, named, texts):
    # As where the change is in none of the batches that are compared.
    monkeypatch.setattr(loop, "content", lambda *_: "alike")
    pages = tmp_path / "pages"
    shutil.copytree(given / "pages", pages)
    settings = {"data": pages / "seeded.jsonl", "texts": texts and pages / texts}
    assert main(command(given, tmp_path / "run", "--stop-at", "1", **settings)) == 0
    whole = (pages / file).read_bytes()
    (pages / file).write_bytes(whole + whole.splitlines(keepends=True)[0])
    assert main(command(given, tmp_path / "run", **settings)) == 2
    assert f"another {named} (the content of {pages}" in capsys.readouterr().err


def test_a_run_may_be_scored_from_later_on_but_not_on_other_rows(given, tmp_path, capsys):
    assert main(command(given, tmp_path / "run", "--stop-at", "1")) == 0
    dev, few = given / "pages/seeded.jsonl", given / "pages/dev-few.jsonl"
    few.write_text("".join(dev.read_text().splitlines(keepends=True)[:2]))
    assert main(command(given, tmp_path / "run", "--stop-at", "2", dev=few)) == 0
    assert ["dev_hit" in row for row in log(tmp_path / "run")] == [False, True]
    assert main(command(given, tmp_path / "run", "--stop-at", "3")) == 0
    assert main(command(given, tmp_path / "run", dev=dev)) == 2
    assert f"another dev (the content of {dev})" in capsys.readouterr().err


def test_any_number_of_workers_makes_the_same_batches(given, tmp_path):
    assert main(command(given, tmp_path / "one")) == 0
    assert main(command(given, tmp_path / "two", workers=2)) == 0
    one, two = (load_checkpoint(tmp_path / name / "checkpoint")[0].state_dict() for name in ("one", "two"))
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_a_model_of_another_shape_begins_with_random_weights(given, tmp_path, capsys):
    shape = {"vision_width": 24, "vision_layers": 3, "vision_heads": 2, "text_width": 32, "text_layers": 1}
    shape |= {"text_heads": 4, "text_kv_heads": 2, "text_mlp": 40}
    table = {f"shape.{name}": value for name, value in shape.items()}
    assert main(command(given, tmp_path / "run", **table)) == 0
    model, processor = load_checkpoint(tmp_path / "run/checkpoint")
    vision, text = model.config.vision_config, model.config.text_config
    assert (vision.hidden_size, vision.num_hidden_layers, vision.patch_size, vision.image_size) == (24, 3, 16, 128)
    assert (text.hidden_size, text.num_hidden_layers, text.intermediate_size) == (32, 1, 40)
    assert processor.tokenizer.get_vocab() == tiny_tokenizer().get_vocab()
    assert main(command(given, tmp_path / "run", **table | {"shape.text_mlp": 48})) == 2
    assert "another shape" in capsys.readouterr().err
    assert main(command(given, tmp_path / "bad", **table | {"shape.text_heads": 5})) == 2
    assert "text_width = 32 is no multiple of text_heads = 5" in capsys.readouterr().err
    assert main(command(given, tmp_path / "bad", **table | {"shape.vision_width": 26})) == 2
    assert "vision_width = 26 is no multiple of 4, which" in capsys.readouterr().err
    assert main(command(given, tmp_path / "bad", **table, tile=120)) == 2
    assert "a tile of 120 pixels cannot be cut into patches of 16" in capsys.readouterr().err
    assert main(command(given, tmp_path / "bad", **table, base=tmp_path)) == 2
    assert "holds no tokenizer.json; name a model folder" in capsys.readouterr().err


def test_what_is_missing_is_named(given, tmp_path, capsys):
    assert main(command(given, tmp_path / "run", texts=tmp_path / "no.jsonl")) == 2
    assert "`data seed --method text` writes it" in capsys.readouterr().err
    (tmp_path / "empty.jsonl").write_text("")
    assert main(command(given, tmp_path / "run", texts=tmp_path / "empty.jsonl")) == 2
    assert "has no text of images/0.png" in capsys.readouterr().err
    assert main(command(given, tmp_path / "run", patch=12)) == 2
    assert "no multiple of the model's 8" in capsys.readouterr().err
    assert main(command(given, tmp_path / "run", data=[str(given / "pages/seeded.jsonl")] * 2)) == 2
    assert "1 texts for 2 data sets" in capsys.readouterr().err
    assert main(command(given, tmp_path / "run", data=[], texts=[])) == 2
    assert "name a data set" in capsys.readouterr().err


def test_two_data_sets_share_a_step(given, tmp_path):
    both = [str(given / "pages/seeded.jsonl"), str(given / "few.jsonl")]
    rows = (given / "pages/seeded.jsonl").read_text().splitlines(keepends=True)
    (given / "few.jsonl").write_text("".join(row.replace("images/", "pages/images/") for row in rows[:2]))
    assert main(command(given, tmp_path / "run", data=both, texts=[])) == 0
    record = read_training(tmp_path / "run/checkpoint")
    assert record["data"] == ", ".join(both)
