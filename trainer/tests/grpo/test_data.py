"""Rows that GRPO cannot learn from are named before a step is taken."""

import json

import pytest

from cropvlm_trainer.grpo.data import read_training_rows

ROW = {"id": "1", "image": "a.png", "question": "What?", "answers": ["7"]}


def written(folder, *rows):
    (folder / "a.png").touch()
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_need_no_box(tmp_path):
    assert read_training_rows(written(tmp_path, ROW, ROW)) == [ROW, ROW]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "row 2 of .* has no id"),
        ({"question": ""}, "row 2 of .* has no question"),
        ({"answers": []}, "row 2 of .* has no answers, a list of texts"),
        ({"answers": [7]}, "row 2 of .* has no answers, a list of texts"),
    ],
)
def test_what_lacks_is_named(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        read_training_rows(written(tmp_path, ROW, {**ROW, **change}))


def test_a_missing_image_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="row 2 of .* needs .*b.png"):
        read_training_rows(written(tmp_path, ROW, {**ROW, "image": "b.png"}))


def test_a_data_set_without_a_measure_is_named_where_one_is_needed(tmp_path):
    manifest = written(tmp_path, ROW, {**ROW, "source": "mytextvqa"})
    assert len(read_training_rows(manifest)) == 2
    with pytest.raises(ValueError, match="row 2 of .*: the source 'mytextvqa' is none of"):
        read_training_rows(manifest, is_measured=True)
