"""What every command that reads a data set says about a row that it cannot use."""

import json

import pytest

from cropvlm_trainer.rows import check_images, read_rows, with_target

ROW = {"id": "1", "image": "a.png", "question": "What?", "answers": ["7"], "box": [10, 10, 30, 20]}
FIELDS = tuple(ROW)


def written(folder, *rows):
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_are_as_they_stand(tmp_path):
    rows = [ROW, {**ROW, "kind": "page", "more": None}]
    assert read_rows(written(tmp_path, *rows), needs=FIELDS) == rows


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [None, "", " ", 7, [], [7], True])
def test_a_field_that_is_needed_holds_what_it_must(tmp_path, field, value):
    manifest = written(tmp_path, ROW, {**ROW, field: value})
    with pytest.raises(ValueError, match=r"row 2 of .*manifest.jsonl(: .* is no box.*give every|.* has no .*; mend)"):
        read_rows(manifest, needs=[field])
    assert len(read_rows(manifest, needs=[other for other in FIELDS if other != field])) == 2, (
        "others are not looked at"
    )


def test_a_field_that_may_be_there_is_checked_where_it_is(tmp_path):
    without = {key: value for key, value in ROW.items() if key != "box"}
    assert len(read_rows(written(tmp_path, ROW, without, {**ROW, "box": None}), may_have=["box"])) == 3
    with pytest.raises(ValueError, match="row 2 of .* is no box"):
        read_rows(written(tmp_path, ROW, {**ROW, "box": [1, 2, 1, 4]}), may_have=["box"])


def test_rows_past_the_limit_are_not_looked_at(tmp_path):
    assert read_rows(written(tmp_path, ROW, {}), needs=FIELDS, limit=1) == [ROW]


def test_images_that_lack_are_counted_and_the_first_is_named(tmp_path):
    (tmp_path / "a.png").touch()
    rows = [ROW, *({**ROW, "image": f"{name}.png"} for name in "bbc")]
    with pytest.raises(FileNotFoundError, match=r"row 2 of .* needs .*b\.png, which is not there \(2 images lack\)"):
        check_images(tmp_path / "manifest.jsonl", rows)
    check_images(tmp_path / "manifest.jsonl", rows[:1])


def test_rows_without_an_answer_to_learn_are_left_out(tmp_path, capsys):
    rows = [ROW, {**ROW, "answers": ["", " Unanswerable "]}, {**ROW, "answers": ["", "7"]}]
    assert with_target(tmp_path / "a.jsonl", rows) == [rows[0], rows[2]]
    assert "1 rows of" in capsys.readouterr().err
    boxes_alone = [ROW, {"box": ROW["box"]}, {"answers": None}]
    assert with_target(tmp_path / "a.jsonl", boxes_alone) == boxes_alone
    assert capsys.readouterr().err == ""
    with pytest.raises(ValueError, match="every answer in .*a.jsonl is blank or unanswerable"):
        with_target(tmp_path / "a.jsonl", rows[1:2])
