"""The boxes of `experiments/receipts/prior.py`: by the question alone, where training's lines are."""

import json
import subprocess
import sys

import pytest
from support.paths import REPOSITORY
from support.scripts import load_script

SCRIPT = REPOSITORY / "trainer" / "experiments" / "receipts" / "prior.py"


@pytest.fixture(scope="module")
def prior():
    return load_script(SCRIPT)


def seeded(question: str, lines: list[list[float]]) -> list[dict]:
    return [{"question": question, "seed": {"line": line}} for line in lines]


TRAIN = [
    *seeded("total?", [[60, 80, 80, 84]] * 4 + [[10, 10, 30, 14]] * 3),
    *seeded("date?", [[10, 10, 30, 14]] * 5),
    *seeded("till?", [[70, 40, 80, 42]]),
]


def test_the_box_covers_most_lines_and_no_more_than_it_may(prior):
    lines = [row["seed"]["line"] for row in TRAIN[:7]]
    assert prior.best_box(lines, 150) == [60, 80, 80, 85]
    # large enough for both places: all seven lines
    left, top, right, bottom = prior.best_box(lines, 5600)
    assert left <= 12 and top <= 10.4 and right >= 78 and bottom >= 83.6
    # nothing of this size covers a line: the smallest box there is
    left, top, right, bottom = prior.best_box([[0, 0, 50, 50]], 10)
    assert (right - left) * (bottom - top) == 2.5 * 2.5


def test_each_question_has_its_place_and_rare_ones_share_one(prior):
    rows = [
        {"id": "1", "field": "total", "question": "total?"},
        {"id": "2", "question": "date?"},
        {"id": "3", "kind": "label", "question": "till?"},
        {"id": "4", "kind": "label", "question": "never asked?"},
    ]
    like = {row["id"]: {"bbox": [0, 0, 15, 10]} for row in rows}
    boxes = {row["id"]: row["bbox"] for row in prior.prior(rows, TRAIN, like)}
    assert boxes["1"] == [60, 80, 80, 85]
    # the date's five lines and the total's three
    assert boxes["2"] == boxes["3"] == boxes["4"] == [10, 10, 30, 15]


def test_the_script_writes_boxes(tmp_path):
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("questions", "train", "like", "out")}
    paths["questions"].write_text(json.dumps({"id": "1", "field": "total", "question": "total?"}) + "\n")
    paths["train"].write_text("".join(json.dumps(row) + "\n" for row in TRAIN))
    paths["like"].write_text(json.dumps({"id": "1", "bbox": [5, 5, 20, 15], "confidence": 0.5}) + "\n")
    options = [part for name, path in paths.items() for part in (f"--{name}", str(path))]
    subprocess.run([sys.executable, str(SCRIPT), *options], check=True, capture_output=True)
    assert json.loads(paths["out"].read_text()) == {"id": "1", "bbox": [60, 80, 80, 85], "confidence": None}
