"""What `data seed` can be told, and what it refuses."""

import json

import pytest
from PIL import Image

from cropvlm_trainer.cli import main


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "vlm"], "--method vlm needs --url"),
        (["--method", "vlm", "--url", "http://a/v1"], "--method vlm needs --model"),
        (["--method", "vlm", "--url", "a:80/v1", "--model", "m"], "--url a:80/v1 must start with http"),
        (["--method", "vlm", "--url", "http://a/v1", "--model", "m", "--n", "5"], "--n is for --method grid"),
        (["--method", "grid", "--base", "b", "--key-env", "K"], "--key-env is for --method vlm"),
        (["--method", "grid"], "--method grid needs --base"),
        (["--method", "grid", "--base", "b", "--n", "0"], "--n must be above 0"),
        (["--method", "vlm", "--url", "http://a/v1", "--model", "m", "--concurrency", "0"], "--concurrency must be"),
        (["--method", "vlm", "--url", "http://a/v1", "--model", "m", "--longest-edge", "99"], "give at least 112"),
    ],
)
def test_options_that_contradict_or_lack_each_other(tmp_path, capsys, options, message):
    Image.new("RGB", (280, 140)).save(tmp_path / "0.png")
    row = {"id": "p0", "image": "0.png", "question": "What IS 0?", "answers": ["0"]}
    (tmp_path / "sft.jsonl").write_text(json.dumps(row))
    paths = ["--manifest", str(tmp_path / "sft.jsonl"), "--out", str(tmp_path / "seeded.jsonl")]
    assert main(["data", "seed", *paths, *options]) == 2
    assert message in capsys.readouterr().err
