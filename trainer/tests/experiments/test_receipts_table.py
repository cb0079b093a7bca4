"""The scores of `experiments/receipts/table.py`, on a few boxes whose scores are plain to see."""

import json
import subprocess
import sys

import pytest
from support.paths import REPOSITORY
from support.scripts import load_script

SCRIPT = REPOSITORY / "trainer" / "experiments" / "receipts" / "table.py"


@pytest.fixture(scope="module")
def table():
    return load_script(SCRIPT)


ROWS = [
    {"id": "a-total", "image": "a", "field": "total", "question": "t", "lines": [[10, 10, 20, 20], [60, 60, 70, 70]]},
    {"id": "a-date", "image": "a", "field": "date", "question": "d", "lines": [[30, 30, 40, 40]]},
    {"id": "b-total", "image": "b", "field": "total", "question": "t", "lines": [[50, 50, 60, 60]]},
    {"id": "l1", "image": "a", "kind": "label", "question": "What is the tax?", "seed": {"line": [0, 0, 10, 10]}},
    {"id": "l2", "image": "a", "kind": "label", "question": "What is the till?", "seed": {"line": [0, 0, 10, 10]}},
]
BOXES = {
    "a-total": {"id": "a-total", "bbox": [59, 59, 71, 71], "confidence": 0.9},
    # covers 89 % of the line: a miss
    "a-date": {"id": "a-date", "bbox": [31.1, 30, 51.1, 40], "confidence": 0.2},
    "l2": {"id": "l2", "bbox": [0, 0, 9.1, 10], "confidence": 0.5},
}


def test_scores(table):
    found = table.scores(ROWS, BOXES, {"What is the tax?"})
    assert found["all fields"] == pytest.approx(1 / 3)
    assert (found["total"], found["date"]) == (0.5, 0)
    assert (found["labels that training asked for"], found["new labels"]) == (0, 1)
    # 144, 200 and, without a box, the whole page
    assert found["mean size"] == pytest.approx((0.0144 + 0.02 + 1) / 3)
    assert found["median size"] == pytest.approx(0.02)
    assert found["other fields' boxes"] == 0
    assert found[table.CONFIDENCE] == 1
    assert table.groups(ROWS, set())["new labels"] == ROWS[3:]


def test_rows_of_which_nobody_has_said_what_they_ask_for(table):
    rows = [
        {"id": "a-total", "image": "a", "question": "t", "seed": {"line": [10, 10, 20, 20]}},
        {"id": "a-date", "image": "a", "question": "d", "seed": {"line": [62, 62, 70, 70]}},
    ]
    found = table.scores([*rows, ROWS[3]], {**BOXES, "a-date": BOXES["a-total"]}, set())
    assert (found["all fields"], found["question"]) == (0.5, 0.5)


def test_separation(table):
    marks = [(0.9, True), (0.4, True), (0.4, False), (0.1, False)]
    assert table.separation(marks) == pytest.approx(3.5 / 4)
    assert table.separation([(0.9, True)]) is None


def test_surest(table):
    marks = [(0.1, False), (0.9, True), (0.4, True), (0.4, False), (0.3, False)]
    # three of five, and the other one that is as sure as the last of them
    assert table.surest(marks, 0.5) == (pytest.approx(2 / 3), 0.4)
    assert table.surest(marks, 0.2) == (1, 0.9)
    assert table.surest(marks, 1) == (pytest.approx(2 / 5), 0.1)
    assert table.surest([], 0.75) is None


def test_exchanged(table):
    boxes = {"a-total": BOXES["a-date"], "a-date": {"bbox": [0, 0, 100, 100]}}
    # the date's box covers the total's line, and not the other way round
    assert table.exchanged(ROWS[:2], boxes) == 0.5
    assert table.exchanged(ROWS[2:3], boxes) is None


def test_chance(table):
    assert table.by_chance(ROWS[:1], {"a-total": {"bbox": [0, 0, 100, 100]}}) == 1
    half = table.by_chance(ROWS[1:2], {"a-date": {"bbox": [0, 0, 50, 100]}})
    # the box's left edge is drawn from 0 to 50, and covers the line from 0 to 31 at 9/10 of it
    assert half == pytest.approx(31 / 50, abs=0.2)


def test_the_script_writes_the_table(table, tmp_path):
    questions, train, boxes = tmp_path / "questions.jsonl", tmp_path / "train.jsonl", tmp_path / "ours.jsonl"
    questions.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    train.write_text(json.dumps(ROWS[3]) + "\n")
    boxes.write_text("".join(json.dumps(box) + "\n" for box in BOXES.values()))
    out = tmp_path / "results" / "table.md"
    command = [sys.executable, str(SCRIPT), "--questions", questions, "--train", train, "--out", out, boxes]
    subprocess.run(command, check=True, capture_output=True, cwd=REPOSITORY / "trainer")
    lines = out.read_text().splitlines()
    assert lines[0].startswith("# ") and "| | n | ours | whole |" in lines
    assert "| all fields | 3 | 33.3 % | 100.0 % |" in lines
    assert "| new labels | 1 | 100.0 % | 100.0 % |" in lines
    assert "| confidence, area under the curve |  | 1.00 | - |" in lines
    assert (
        "| the surest three quarters |  | 50.0 % | - |" in lines and "| their least confidence |  | 0.20 | - |" in lines
    )
