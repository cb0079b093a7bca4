import json

import pytest
from support.lines import read_lines

from cropvlm_trainer.cli import main
from cropvlm_trainer.metrics.exact_and_iou import area


def write_manifest(folder, boxes):
    rows = [{"id": str(n), "image": "images/a.png", "question": "q", "box": box} for n, box in enumerate(boxes)]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "manifest.jsonl"


def test_expand_grows_by_percentile_and_keeps_all_else(tmp_path, capsys):
    sides = (8, 2, 6, 4, 10)
    manifest = write_manifest(tmp_path, [[40, 40, 40 + side, 40 + side] for side in sides])
    out = tmp_path / "grown.jsonl"
    assert main(["data", "expand", "--manifest", str(manifest), "--out", str(out)]) == 0
    rows = read_lines(out)
    assert [area(row["box"]) / side**2 for row, side in zip(rows, sides, strict=True)] == pytest.approx(
        [2, 45, 4, 10, 1]
    )
    assert [{**row, "box": None} for row in rows] == [{**row, "box": None} for row in read_lines(manifest)]
    assert "1 boxes by 45" in capsys.readouterr().out


def test_expand_grows_all_by_one_factor(tmp_path):
    manifest = write_manifest(tmp_path, [[40, 45, 60, 55], [0, 40, 10, 50]])
    out = tmp_path / "grown.jsonl"
    assert main(["data", "expand", "--manifest", str(manifest), "--out", str(out), "--by", "4"]) == 0
    assert [row["box"] for row in read_lines(out)] == [[30, 40, 70, 60], [0, 35, 20, 55]]


def test_expand_gives_a_box_the_margin_of_the_reader(tmp_path):
    manifest = write_manifest(tmp_path, [[40, 40, 60, 60], [50, 50, 51, 51], [95, 98, 100, 100]])
    rows = read_lines(manifest)
    rows[1]["seed"] = {"method": "vlm"}
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "grown.jsonl"
    command = ["data", "expand", "--manifest", str(manifest), "--out", str(out), "--by", "margin"]
    assert main(command) == 0
    expected = [[36, 36, 64, 64], [43.5, 45.5, 57.5, 55.5], [86, 90, 100, 100]]
    assert [row["box"] for row in read_lines(out)] == [pytest.approx(box) for box in expected]
    assert read_lines(out)[1]["seed"] == {"method": "vlm", "grown": "margin"}
    command[3], command[5] = str(out), str(tmp_path / "twice.jsonl")
    assert main(command) == 2, "a seed box grows once"


def test_expand_says_what_it_cannot_do(tmp_path, capsys):
    manifest = write_manifest(tmp_path, [[40, 45, 60, 55], [0, 40, 0, 50]])
    ask = ["data", "expand", "--manifest", str(manifest), "--out"]
    assert main([*ask, str(tmp_path / "grown.jsonl")]) == 2
    assert "row 2" in capsys.readouterr().err
    write_manifest(tmp_path, [[40, 45, 60, 55]])
    assert main([*ask, str(tmp_path / "grown.jsonl"), "--by", "twice"]) == 2
    assert "percentile" in capsys.readouterr().err
    assert main([*ask, str(tmp_path / "elsewhere" / "grown.jsonl")]) == 2
    assert "relative to the manifest" in capsys.readouterr().err
    assert main([*ask, str(manifest)]) == 2
    assert "already exists" in capsys.readouterr().err
    manifest.write_text('{"image": "a.png"}\n')
    assert main([*ask, str(tmp_path / "grown.jsonl")]) == 2
    assert "row 1" in capsys.readouterr().err and not (tmp_path / "grown.jsonl").exists()


def test_expand_by_the_areas_that_the_paper_prints(tmp_path):
    # Areas of 0.09, 0.16, 0.36, 0.81 and 4 per cent of the image.
    sides = (3, 4, 6, 9, 20)
    manifest = write_manifest(tmp_path, [[40, 40, 40 + side, 40 + side] for side in sides])
    out = tmp_path / "grown.jsonl"
    assert main(["data", "expand", "--manifest", str(manifest), "--out", str(out), "--by", "table3"]) == 0
    grown = [area(row["box"]) / side**2 for row, side in zip(read_lines(out), sides, strict=True)]
    assert grown == pytest.approx([45, 10, 10, 4, 1])


def test_boxes_do_not_grow_twice(tmp_path, capsys):
    manifest = write_manifest(tmp_path, [[40, 40, 44, 44], [40, 40, 60, 60]])
    rows = [row | {"seed": {"method": "vlm", "grown": 1.0}} for row in read_lines(manifest)]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    once, twice = tmp_path / "once.jsonl", tmp_path / "twice.jsonl"
    assert main(["data", "expand", "--manifest", str(manifest), "--out", str(once)]) == 0
    assert [row["seed"]["grown"] for row in read_lines(once)] == [45, 1]
    assert main(["data", "expand", "--manifest", str(once), "--out", str(twice)]) == 2
    error = capsys.readouterr().err
    assert "1 boxes of" in error and "have grown already, as that of row 1 by 45" in error and "--grow none" in error
    assert not twice.exists()
