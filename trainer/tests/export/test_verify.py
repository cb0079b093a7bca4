"""`verify` on a good folder and on copies of it that are damaged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from support.paths import REPOSITORY

from cropvlm_trainer.cli import main
from cropvlm_trainer.export.export import export
from cropvlm_trainer.export.manifest import revision, sha256
from cropvlm_trainer.export.verify import verify
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint

COMMITTED = REPOSITORY / "test" / "fixtures" / "models"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), folder, {"recipe": "random"})
    return folder


@pytest.fixture(scope="module")
def good(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("good") / "model"
    options = {"role": "cropper", "model_id": "good", "resolutions": [64, 128], "parity_prompts": 1, "parity_pages": 2}
    export(checkpoint, out, precisions=("fp32", "int8"), floor=0.0, **options)
    return out


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return shutil.copytree(good, tmp_path / "model")


def failures(folder: Path) -> list[str]:
    return [check.text for check in verify(folder) if not check.passed]


def rewrite(folder: Path, change: Callable[[dict], object]) -> None:
    """Alters `cropvlm.json`, and makes it agree with the files again."""
    path = folder / "cropvlm.json"
    manifest = json.loads(path.read_text())
    manifest["sha256"] = {name: sha256(folder / name) for name in manifest["sha256"]}
    manifest["revision"] = revision(manifest["sha256"])
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_a_good_folder(good: Path, checkpoint: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["verify", str(good), "--checkpoint", str(checkpoint)]) == 0
    lines = capsys.readouterr().out.splitlines()
    manifest = json.loads((good / "cropvlm.json").read_text())
    assert lines[0] == f"ok   cropvlm.json: good, revision {manifest['revision']}"
    assert [line for line in lines if line.endswith(": sha256")] == [
        f"ok   {name}: sha256" for name in manifest["sha256"]
    ]
    works = [line[5:].split(":")[0:2] for line in lines[1 + len(manifest["sha256"]) : -1]]
    assert [f"{precision}:{check}" for precision, check in works] == [
        *[f"fp32:{check}" for check in (" graphs load", " a page at 64 pixels", " a page at 128 pixels")],
        *[f"int8:{check}" for check in (" graphs load", " a page at 64 pixels", " a page at 128 pixels")],
        *[f"{precision}: parity" for precision in ("fp32", "int8")],
    ]
    assert any(" a page at 128 pixels: 5 tiles, " in line for line in lines)
    assert lines[-1] == f"{good}: everything is right"
    assert {line[:5] for line in lines[:-1]} == {"ok   "}


@pytest.mark.parametrize("name", ["tiny", "tiny-box"])
def test_committed_folders(name: str) -> None:
    assert failures(COMMITTED / name) == []


def test_a_corrupt_file(folder: Path, capsys: pytest.CaptureFixture) -> None:
    path = folder / "onnx" / "decoder_model_merged_int8.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert main(["verify", str(folder)]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert lines[0].startswith("FAIL onnx/decoder_model_merged_int8.onnx: the file is damaged, its sha256 is ")
    assert lines[1:] == ["FAIL graphs and answers were not tried; export the model again, or fetch it anew"]


def test_missing_files(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "onnx" / "embed_tokens.onnx").unlink()
    assert failures(folder)[:2] == [
        "onnx/embed_tokens.onnx: the file is missing",
        "tokenizer.json: the file is missing",
    ]


def test_a_stranger(folder: Path, capsys: pytest.CaptureFixture) -> None:
    (folder / "onnx" / "vision_encoder_q4.onnx").write_bytes(b"x")
    assert main(["verify", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "FAIL onnx/vision_encoder_q4.onnx: cropvlm.json does not name this file; remove it" in out
    assert "ok   int8: a page at 128 pixels" in out
    assert out.endswith(f"{folder}: 1 checks failed\n")


def test_a_card_is_no_stranger(folder: Path) -> None:
    (folder / "README.md").write_text("# A cropper")
    assert failures(folder) == []


def test_a_graph_that_does_not_load(folder: Path) -> None:
    (folder / "onnx" / "vision_encoder.onnx").write_bytes(b"no graph")
    rewrite(folder, lambda manifest: None)
    (failure,) = failures(folder)
    assert failure.startswith("fp32: graphs load: ") and "vision_encoder.onnx" in failure


def test_logits_that_are_not_finite(folder: Path) -> None:
    path = folder / "onnx" / "decoder_model_merged.onnx"
    graph = onnx.load(path)
    weight = next(weight for weight in graph.graph.initializer if weight.name == "text.norm.weight")
    weight.raw_data = b"\x00\x00\xc0\x7f" * (len(weight.raw_data) // 4)
    onnx.save(graph, path)
    rewrite(folder, lambda manifest: None)
    assert failures(folder) == [f"fp32: a page at {edge} pixels: logits are not finite" for edge in (64, 128)]


def test_another_models_checkpoint(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    save_checkpoint(tiny_model(3), TINY, tiny_tokenizer(), tmp_path / "other", {})
    assert main(["verify", str(good), "--checkpoint", str(tmp_path / "other")]) == 1
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert ["differ from torch" in failed[0], "steps_equal is" in failed[1], len(failed)] == [True, True, 2]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda manifest: manifest.update(format=1), "`format` is not 2"),
        (lambda manifest: manifest.update(prompt_contract=9), "`prompt_contract` is not 1"),
        (lambda manifest: manifest.update(revision="abc"), "`revision` does not belong to the files"),
        (lambda manifest: manifest["sha256"].pop("config.json"), "`revision` does not belong to the files"),
        (lambda manifest: manifest.update(role="judge"), "`role` is none of cropper, target"),
        (lambda manifest: manifest.update(resolutions=[64, "big"]), "`resolutions` is no list of them"),
        (lambda manifest: manifest.update(precisions=["int3"]), "`precisions` is no list of them"),
        (lambda manifest: manifest.update(default_precision="q4"), "`default_precision` is none of `precisions`"),
    ],
)
def test_a_record_that_makes_no_sense(folder: Path, change: Callable[[dict], object], problem: str) -> None:
    rewrite(folder, change)
    (failure,) = failures(folder)
    assert failure.startswith("cropvlm.json: ") and problem in failure


def test_no_record(folder: Path, capsys: pytest.CaptureFixture) -> None:
    (folder / "cropvlm.json").write_text("{")
    assert failures(folder)[0].startswith("cropvlm.json: ")
    (folder / "cropvlm.json").unlink()
    assert main(["verify", str(folder)]) == 1
    assert "cropvlm.json: the file is missing" in capsys.readouterr().out
    assert main(["verify", str(folder / "nowhere")]) == 2
    assert "is no folder; name the folder of an exported model" in capsys.readouterr().err
    assert main(["verify", str(folder), "--base", "x"]) == 2
