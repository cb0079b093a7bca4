"""A pickle that would do something when it is loaded: every command that loads refuses it, and it does nothing."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.runs.run import write_base_and_pages

from cropvlm_trainer.cli import main

LORA = ["lora.r=4", "lora.alpha=8", "lora.dropout=0.0"]
STEPS = ["batch=2", "precision=fp32", "resolution=64", "sample_every=0"]


class Payload:
    """Writes a file when its pickle is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.fixture
def marker(tmp_path) -> Path:
    path = tmp_path / "marker"
    pickle.loads(pickle.dumps(Payload(path)))
    assert path.exists(), "the payload does what it should"
    path.unlink()
    return path


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """`base`, `pages` and `sft`, a run of one step with its adapter."""
    out = write_base_and_pages(tmp_path_factory.mktemp("given"), 2)
    assert main(sft(out, out / "sft", "max_steps=1")) == 0
    return out


def settings(*pairs: str) -> list[str]:
    return [part for pair in pairs for part in ("--set", pair)]


def common(given: Path, out: Path, base: Path | None = None) -> list[str]:
    return [f"base={base or given / 'base'}", f"data={given / 'pages' / 'manifest.jsonl'}", f"out={out}", *STEPS, *LORA]


def sft(given: Path, out: Path, *more: str, base: Path | None = None) -> list[str]:
    return ["sft", *settings(*common(given, out, base), "epochs=9", "workers=0", *more)]


def grpo(given: Path, out: Path, *more: str, base: Path | None = None) -> list[str]:
    return ["grpo", *settings(*common(given, out, base), "reward_resolution=64", "group=2", *more)]


def pickled(checkpoint: Path, marker: Path, name: str) -> Path:
    """A copy of a checkpoint or adapter whose weights are a pickle with the payload."""
    folder = marker.parent / "pickled"
    shutil.copytree(checkpoint, folder)
    (weights,) = folder.glob("*.safetensors")
    torch.save({**load_file(weights), "payload": Payload(marker)}, folder / name)
    weights.unlink()
    return folder


def refusal(command: list[str], marker: Path, capsys) -> str:
    """What the command says; it ends with 2, and the payload did nothing."""
    assert main([str(part) for part in command]) == 2
    assert not marker.exists()
    return capsys.readouterr().err


COMMANDS = {
    "eval --target": lambda given, out, bad: ["eval", "--data", given / "pages", "--target", bad],
    "eval --cropper": lambda given, out, bad: [
        *("eval", "--data", given / "pages", "--target", given / "base", "--cropper", bad)
    ],
    "eval --cropper rel-att": lambda given, out, bad: [
        *("eval", "--data", given / "pages", "--target", given / "base", "--cropper", "rel-att"),
        *("--attention-checkpoint", bad),
    ],
    "export": lambda given, out, bad: [
        *("export", "--checkpoint", bad, "--out", out, "--role", "cropper", "--id", "x", "--resolution", "64")
    ],
    "data seed": lambda given, out, bad: [
        *("data", "seed", "--method", "grid", "--base", bad, "--manifest", given / "pages" / "manifest.jsonl"),
        *("--out", given / "pages" / "seeded.jsonl"),
    ],
    "sft": lambda given, out, bad: sft(given, out, base=bad),
    "grpo": lambda given, out, bad: grpo(given, out, base=bad),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_checkpoint_of_pickled_weights(given, marker, tmp_path, capsys, name):
    bad = pickled(given / "base", marker, "pytorch_model.bin")
    error = refusal(COMMANDS[name](given, tmp_path / "out", bad), marker, capsys)
    assert f"{bad} holds its weights as a pickle (pytorch_model.bin)" in error
    assert "convert it to safetensors" in error and "save_pretrained" in error


ADAPTED = {
    "grpo": lambda given, out, bad: grpo(given, out, f"adapter={bad}"),
    "eval --cropper": COMMANDS["eval --cropper"],
    "export": COMMANDS["export"],
}


@pytest.mark.parametrize("name", ADAPTED)
def test_an_adapter_of_pickled_weights(given, marker, tmp_path, capsys, name):
    bad = pickled(given / "sft" / "adapter", marker, "adapter_model.bin")
    error = refusal(ADAPTED[name](given, tmp_path / "out", bad), marker, capsys)
    assert f"{bad} holds its weights as a pickle (adapter_model.bin)" in error


def test_a_pickle_under_the_name_of_safetensors(given, marker, tmp_path, capsys):
    bad = tmp_path / "base"
    shutil.copytree(given / "base", bad)
    torch.save(Payload(marker), bad / "model.safetensors")
    error = refusal(sft(given, tmp_path / "out", base=bad), marker, capsys)
    assert f"{bad / 'model.safetensors'} is no safetensors file" in error


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_sft_does_not_go_on_from_a_pickle(given, marker, tmp_path, capsys, name):
    out = tmp_path / "run"
    shutil.copytree(given / "sft", out)
    torch.save(Payload(marker), out / "state" / "checkpoint-1" / name)
    error = refusal(sft(given, out, "max_steps=2"), marker, capsys)
    assert f"{out / 'state' / 'checkpoint-1'} is no saved state" in error and "give another out" in error


def test_sft_does_not_go_on_from_pickled_weights(given, marker, tmp_path, capsys):
    out = tmp_path / "run"
    shutil.copytree(given / "sft", out)
    state = out / "state" / "checkpoint-1"
    torch.save({"payload": Payload(marker)}, state / "adapter_model.bin")
    (state / "adapter_model.safetensors").unlink()
    assert "holds its weights as a pickle" in refusal(sft(given, out, "max_steps=2"), marker, capsys)


@pytest.mark.parametrize("is_raw", [False, True])
@pytest.mark.parametrize("name", ["grpo", "pretrain"])
def test_grpo_and_pretrain_do_not_go_on_from_a_pickle(given, marker, tmp_path, capsys, name, is_raw):
    out = tmp_path / "run"
    out.mkdir()
    if is_raw:
        (out / "state.pt").write_bytes(pickle.dumps(Payload(marker), protocol=2))
    else:
        torch.save({"step": Payload(marker)}, out / "state.pt")
    pretrain = ["pretrain", "--out", out, "--steps", "2", "--device", "cpu"]
    error = refusal(grpo(given, out) if name == "grpo" else pretrain, marker, capsys)
    assert f"{out / 'state.pt'} is no saved state" in error and "give another out" in error


def test_kept_answers_and_data_sets_that_are_pickles(given, marker, tmp_path, capsys):
    bad = tmp_path / "set"
    bad.mkdir()
    (bad / "manifest.jsonl").write_bytes(pickle.dumps(Payload(marker), protocol=2))
    error = refusal(["eval", "--data", bad, "--target", given / "base"], marker, capsys)
    assert f"{bad / 'manifest.jsonl'} is no text in UTF-8" in error
    (tmp_path / "scores.answers.jsonl").write_bytes(pickle.dumps(Payload(marker), protocol=2))
    endpoint = ["--target-url", "http://127.0.0.1:9/v1", "--target-model", "m", "--out", tmp_path / "scores.json"]
    error = refusal(["eval", "--data", given / "pages", *endpoint], marker, capsys)
    assert f"{tmp_path / 'scores.answers.jsonl'} is no text in UTF-8" in error


def test_code_that_a_checkpoint_brings_is_not_run(given, marker, tmp_path, capsys):
    bad = tmp_path / "base"
    shutil.copytree(given / "base", bad)
    (bad / "stranger.py").write_text(f"open({str(marker)!r}, 'w')\nclass Stranger: pass\n")
    for name in ("config.json", "processor_config.json", "tokenizer_config.json", "preprocessor_config.json"):
        kinds = ("AutoConfig", "AutoModel", "AutoProcessor", "AutoTokenizer", "AutoImageProcessor")
        table = json.loads((bad / name).read_text()) | {"auto_map": {kind: "stranger.Stranger" for kind in kinds}}
        (bad / name).write_text(json.dumps(table))
    main([str(part) for part in sft(given, tmp_path / "out", "max_steps=1", base=bad)])
    assert not marker.exists()
