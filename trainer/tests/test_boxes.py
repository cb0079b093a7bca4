import json
import math

import pytest

from cropvlm_trainer.boxes import grow, growth_factors
from cropvlm_trainer.cli import main
from cropvlm_trainer.metrics.exact_and_iou import area, contains


def test_a_box_grows_about_its_centre_and_keeps_its_shape():
    assert grow((40, 45, 60, 55), 4) == (30, 40, 70, 60)
    assert grow((40, 45, 60, 55), 1) == (40, 45, 60, 55)


def test_a_grown_box_is_shifted_back_inside_not_cut():
    assert grow((0, 40, 10, 50), 4) == (0, 35, 20, 55)
    assert grow((88, 92, 98, 100), 4) == (80, 84, 100, 100)
    corner = grow((1, 1, 3, 2), 45)
    assert corner[:2] == (0, 0)
    assert area(corner) == pytest.approx(45 * 2)


def test_a_side_is_at_most_as_long_as_the_image():
    assert grow((10, 48, 70, 52), 4) == (0, 46, 100, 54)
    assert grow((0, 0, 100, 100), 45) == (0, 0, 100, 100)


def test_every_grown_box_is_a_box_that_holds_the_old_one():
    for x1 in range(0, 100, 7):
        for width in (0.013, 3, 33.3, 100 - x1):
            box = (x1, x1 / 2, min(x1 + width, 100), x1 / 2 + width / 3)
            for factor in (1, 2, 4, 10, 45):
                grown = grow(box, factor)
                assert contains((0, 0, 100, 100), grown), (box, factor)
                slack = 1e-9
                assert grown[0] <= box[0] + slack and grown[2] >= box[2] - slack
                assert grown[1] <= box[1] + slack and grown[3] >= box[3] - slack


def test_factors_go_by_percentile_of_the_set_whatever_its_order():
    assert growth_factors(list(range(1, 11))) == [45, 45, 10, 10, 4, 4, 2, 2, 1, 1]
    assert growth_factors([9, 1, 5, 3, 7]) == [1, 45, 4, 10, 2]


def test_a_box_at_a_percentile_is_of_the_band_above():
    # Six areas from 0 to 5: the percentiles are 1, 2, 3 and 4 themselves.
    assert growth_factors([0, 1, 2, 3, 4, 5]) == [45, 10, 4, 2, 1, 1]
    assert growth_factors([2, 2, 2]) == [1, 1, 1]


@pytest.mark.parametrize("factor", [0, -1, math.inf, math.nan])
def test_a_factor_is_a_positive_number(factor):
    with pytest.raises(ValueError, match="positive factor"):
        grow((1, 1, 2, 2), factor)


@pytest.mark.parametrize("box", [(1, 1, 1, 2), (1, 1, 2), (-1, 0, 5, 5), (0, 0, 101, 5), (0, 0, math.nan, 5), "box"])
def test_what_is_no_box_does_not_grow(box):
    with pytest.raises(ValueError, match="is no box"):
        grow(box, 2)


def test_percentiles_of_nothing_are_an_error():
    with pytest.raises(ValueError, match="empty set"):
        growth_factors([])


def write_manifest(folder, boxes):
    rows = [{"id": str(n), "image": "images/a.png", "question": "q", "box": box} for n, box in enumerate(boxes)]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "manifest.jsonl"


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_expand_grows_by_percentile_and_keeps_all_else(tmp_path, capsys):
    sides = (8, 2, 6, 4, 10)
    manifest = write_manifest(tmp_path, [[40, 40, 40 + side, 40 + side] for side in sides])
    out = tmp_path / "grown.jsonl"
    assert main(["data", "expand", "--manifest", str(manifest), "--out", str(out)]) == 0
    rows = read(out)
    assert [area(row["box"]) / side**2 for row, side in zip(rows, sides, strict=True)] == pytest.approx(
        [2, 45, 4, 10, 1]
    )
    assert [{**row, "box": None} for row in rows] == [{**row, "box": None} for row in read(manifest)]
    assert "1 boxes by 45" in capsys.readouterr().out


def test_expand_grows_all_by_one_factor(tmp_path):
    manifest = write_manifest(tmp_path, [[40, 45, 60, 55], [0, 40, 10, 50]])
    out = tmp_path / "grown.jsonl"
    assert main(["data", "expand", "--manifest", str(manifest), "--out", str(out), "--by", "4"]) == 0
    assert [row["box"] for row in read(out)] == [[30, 40, 70, 60], [0, 35, 20, 55]]


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
