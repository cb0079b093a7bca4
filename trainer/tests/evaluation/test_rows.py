import json

import pytest
from support.scored_rows import CHOICE, DOC, PAGE, TEXT

from cropvlm_trainer.evaluation.rows import scored_rows


def written(folder, *rows):
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return folder


def test_rows_without_a_box_are_read(tmp_path):
    assert scored_rows(written(tmp_path, TEXT, {**DOC, "box": None}, CHOICE), None) == [
        TEXT,
        {**DOC, "box": None},
        CHOICE,
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box": [10, 10, 10, 20]}, ": .* is no box: .x1, y1, x2, y2. in per cent"),
        ({"box": [10, 10, 130, 20]}, ": .* in per cent"),
        ({"box": "10, 10, 30, 20"}, ": .* in per cent"),
        ({"answers": "3"}, " has no answers, a list of texts"),
        ({"answers": [3]}, " has no answers, a list of texts"),
        ({"source": "mytextvqa"}, ": .*leave it out to score by exact match"),
        ({"source": "hrbench"}, ": .*needs 2 to 26 options"),
        ({"source": "hrbench", "options": ["a bus", "a car"]}, ": .*must name one of the options"),
    ],
)
def test_rows_that_cannot_be_scored(tmp_path, change, message):
    with pytest.raises(ValueError, match=f"row 2 of .*manifest.jsonl{message}"):
        scored_rows(written(tmp_path, PAGE, {**PAGE, **change}), None)


def test_rows_of_other_makers(tmp_path):
    row = {"image": "a.png", "question": "one\u2028two?", "answers": ["3"], "box": [0, 0, 5, 5]}
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(json.dumps(row, ensure_ascii=False) + "\n\n", encoding="utf-8")
    assert scored_rows(tmp_path, None) == [{"kind": "page", **row}]
    manifest.write_text(json.dumps(row) + "\n" + json.dumps({**row, "box": None, "answers": []}))
    with pytest.raises(
        ValueError, match=r"row 2 of .*manifest.jsonl has no answers, a list of texts; mend or remove it"
    ):
        scored_rows(tmp_path, None)
    manifest.write_text("\n")
    with pytest.raises(ValueError, match="has no rows; write it anew"):
        scored_rows(tmp_path, None)
    manifest.write_text(json.dumps(row) + "\n{")
    with pytest.raises(ValueError, match="line 2 of .*manifest.jsonl is not JSON"):
        scored_rows(tmp_path, None)
    with pytest.raises(FileNotFoundError, match="write a manifest with"):
        scored_rows(tmp_path / "nowhere", None)
