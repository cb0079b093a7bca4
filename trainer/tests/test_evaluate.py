import json
from random import Random

import pytest

from cropvlm_trainer.cli import main
from cropvlm_trainer.evaluate import moved, read_rows, table
from cropvlm_trainer.model import Shape, build_model, save_checkpoint
from cropvlm_trainer.pretrain import mini_tokenizer

SHAPE = Shape(
    tile=32, patch=8, shuffle=2, vision_width=32, vision_layers=1, vision_heads=2, text_width=32, text_layers=1
)
ALONE = ["full image", "full image + true box", "full image + random box"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder, tokenizer = tmp_path_factory.mktemp("checkpoint"), mini_tokenizer()
    save_checkpoint(build_model(SHAPE, tokenizer, 0), SHAPE, tokenizer, folder, {})
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    assert main(["data", "synth", "--n", "3", "--seed", "5", "--questions", "2", "--out", str(folder)]) == 0
    return folder


def scored(data, checkpoint, out, *more: str) -> dict:
    assert main(["eval", "--data", str(data), "--target", str(checkpoint), "--out", str(out), *more]) == 0
    report = json.loads(out.read_text())
    assert list(report) == ["held_out"]
    return report["held_out"]


def test_cropper_and_target_on_three_pages(data, checkpoint, tmp_path, capsys):
    report = scored(data, checkpoint, tmp_path / "new" / "scores.json", "--cropper", str(checkpoint))
    rows = read_rows(data, None)
    assert (report["pages"], report["questions"], len(rows)) == (3, 6, 6)
    assert list(report["exact_match"]) == [*ALONE, "full image + cropper", "cropper's crop alone"]
    kinds = ["all", *sorted({row["kind"] for row in rows})]
    for scores in report["exact_match"].values():
        assert list(scores) == kinds
        assert set(scores.values()) == {0.0}, "random weights read nothing"
    assert set(report["boxes"]) == {"iou", "recall", "full_recall", "size", "valid"}
    assert (report["boxes"]["valid"], report["boxes"]["size"], report["boxes"]["recall"]) == (0, 1, 1)
    assert "| full image + cropper | 0.0 |" in capsys.readouterr().out


def test_a_target_alone_and_the_first_rows_alone(data, checkpoint, tmp_path):
    report = scored(data, checkpoint, tmp_path / "scores.json", "--limit", "1")
    assert (report["pages"], report["questions"], report["boxes"]) == (1, 1, {})
    assert list(report["exact_match"]) == ALONE


def test_rows_of_other_makers(tmp_path):
    row = {"image": "a.png", "question": "one\u2028two?", "answers": ["3"], "box": [0, 0, 5, 5]}
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(json.dumps(row, ensure_ascii=False) + "\n\n", encoding="utf-8")
    assert read_rows(tmp_path, None) == [{"kind": "page", **row}]
    manifest.write_text(json.dumps(row) + "\n" + json.dumps({**row, "box": None, "answers": []}))
    with pytest.raises(ValueError, match=r"row 2 of .*manifest.jsonl has no answers and no box"):
        read_rows(tmp_path, None)
    manifest.write_text("\n")
    with pytest.raises(ValueError, match="no rows to score"):
        read_rows(tmp_path, None)


def test_a_folder_without_a_checkpoint_is_not_looked_up_on_the_hub(data, tmp_path, capsys):
    assert main(["eval", "--data", str(data), "--target", str(tmp_path / "runs")]) == 2
    assert "runs holds no config.json" in capsys.readouterr().err


def test_random_boxes_keep_their_size_and_stay_on_the_page():
    rng = Random(0)
    assert moved(rng, (0, 0, 100, 100)) == (0, 0, 100, 100)
    boxes = {moved(rng, (40, 50, 54, 60)) for _ in range(200)}
    assert len(boxes) > 150
    assert all((x2 - x1, y2 - y1) == (14, 10) and x1 >= 0 and x2 <= 100 and y1 >= 0 for x1, y1, x2, y2 in boxes)


def test_the_table_is_in_per_cent():
    rows = table({"full image": {"all": 0.125, "receipt": 1.0}}).splitlines()
    assert rows == ["| exact match, % | all | receipt |", "|---|---|---|", "| full image | 12.5 | 100.0 |"]
