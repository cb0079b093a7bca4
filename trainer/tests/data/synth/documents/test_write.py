import json
from hashlib import sha256

import pytest

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.seed.text import room_around
from cropvlm_trainer.full_sft.data import read_sets
from cropvlm_trainer.full_sft.dev import coverage
from cropvlm_trainer.metrics.exact_and_iou import contains
from cropvlm_trainer.rows import read_rows

N = 6


def draw(out, font_folder, *more: str) -> int:
    given = ["--style", "documents", "--n", str(N), "--seed", "3", "--out", str(out), "--fonts", str(font_folder)]
    return main(["data", "synth", *given, *more])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, font_folder):
    out = tmp_path_factory.mktemp("drawn") / "set"
    assert draw(out, font_folder, "--workers", "1") == 0
    return out


def digests(folder) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(drawn, font_folder, tmp_path):
    assert draw(tmp_path / "two", font_folder, "--workers", "2") == 0
    assert digests(tmp_path / "two") == digests(drawn)
    assert len(digests(drawn)) == N + 3


def test_rows_can_be_trained_on_and_scored(drawn):
    rows = read_rows(drawn / "manifest.jsonl", needs=("id", "image", "question", "answers", "box"))
    assert len({row["id"] for row in rows}) == len(rows) > 5 * N
    for row in rows:
        assert row["seed"]["method"] == "drawn" and contains(row["box"], row["seed"]["line"])
        assert row["kind"] in ("label", row["document"])
        assert ("field" in row) <= (row["kind"] != "label")
    scores = coverage(rows, [row["box"] for row in rows])
    assert scores["dev_hit"] == 1 and 1 < scores["dev_size"] < 30


def test_boxes_with_more_room_around_the_same_lines(drawn, font_folder, tmp_path):
    assert draw(tmp_path / "wide", font_folder, "--room", "30", "20", "--workers", "1") == 0
    rows, wide = (read_rows(folder / "manifest.jsonl") for folder in (drawn, tmp_path / "wide"))
    assert [row["seed"] for row in wide] == [row["seed"] for row in rows]
    for row in wide:
        assert row["box"] == pytest.approx(room_around(row["seed"]["line"], (30, 20)), abs=0.01)
    assert draw(tmp_path / "none", font_folder, "--room", "30", "120") == 2


def test_full_sft_reads_the_drawn_lines(drawn):
    (only,), words, left_out = read_sets([drawn / "manifest.jsonl"], [drawn / "manifest.text.jsonl"])
    assert len(only.pages) == N and left_out == [0] and len(words) == 48
    assert all(page.places and page.labels for page in only.pages)
    assert any(page.rows for page in only.pages)


def test_the_record_says_what_the_bytes_depend_on(drawn):
    record = json.loads((drawn / "synth.json").read_text())
    assert (record["style"], record["pages"], record["seed"]) == ("documents", N, 3)
    needed = record["same_bytes_with"]
    assert {"pillow", "numpy", "freetype2", "libjpeg_turbo", "fonts"} == set(needed)
    assert len(needed["fonts"]["DejaVuSansMono.ttf"]) == 64


def test_what_does_not_go_together_is_refused(drawn, font_folder, tmp_path, capsys):
    assert draw(drawn, font_folder) == 2
    assert "already exists" in capsys.readouterr().err
    assert draw(tmp_path / "new", font_folder, "--kinds", "receipt", "shapes") == 2
    assert "--kinds shapes: --style documents has receipt, invoice" in capsys.readouterr().err
    for count in ("2", "0"):
        assert main(["data", "synth", "--n", "1", "--out", str(tmp_path / "new"), "--workers", count]) == 2
        assert "are for --style documents" in capsys.readouterr().err
    for option in ("--n", "--workers", "--questions"):
        assert draw(tmp_path / "new", font_folder, option, "0") == 2
        assert f"{option} must be above 0" in capsys.readouterr().err
    assert draw(tmp_path / "new", tmp_path) == 2
    assert "apt-get install" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
