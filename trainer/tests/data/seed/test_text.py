"""Seed boxes from an OCR: a real one reads pages that are drawn here."""

from __future__ import annotations

import json

import pytest
from PIL import Image, ImageDraw, ImageFont
from support.lines import read_lines

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.seed import ocr, text

pytest.importorskip("rapidocr", reason="the OCR is not installed: pip install -e '.[ocr]'")
LINES = {"Corner Bakery": 80, "Date: 2024-03-17": 260, "Bread 4.20": 400, "Total 11.90": 700}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A page of 800 x 1000 pixels, and rows about it; the last row's answer is not on it."""
    folder = tmp_path_factory.mktemp("given")
    page = Image.new("RGB", (800, 1000), "white")
    font = ImageFont.load_default(40)
    for line, y in LINES.items():
        ImageDraw.Draw(page).text((100, y), line, "black", font=font)
    page.save(folder / "page.png")
    (folder / "broken.png").write_bytes(b"no picture")
    rows = [
        {"id": "total", "image": "page.png", "question": "What is the total?", "answers": ["11.90"]},
        {
            "id": "shop",
            "image": "page.png",
            "question": "Which shop?",
            "answers": ["corner bakery"],
            "box": [1, 2, 3, 4],
        },
        {"id": "away", "image": "page.png", "question": "Who was there?", "answers": ["Ms. Miller"]},
        {"id": "broken", "image": "broken.png", "question": "What?", "answers": ["x"]},
        {"id": "blank", "image": "page.png", "question": "What?", "answers": ["unanswerable"]},
    ]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def command(folder, out: str, *more: str) -> list[str]:
    paths = ["--manifest", str(folder / "manifest.jsonl"), "--out", str(folder / out)]
    return ["data", "seed", "--method", "text", *paths, "--workers", "1", *more]


def test_boxes_hold_the_lines_that_show_the_answers(given, capsys, monkeypatch):
    assert main(command(given, "seeded.jsonl")) == 0
    total, shop = read_lines(given / "seeded.jsonl")
    assert (total["id"], shop["id"], shop["true_box"]) == ("total", "shop", [1, 2, 3, 4])
    for row, line in ((total, "Total 11.90"), (shop, "Corner Bakery")):
        x1, y1, x2, y2 = row["box"]
        top = LINES[line] / 10
        assert x1 < 12.5 and x2 > 100 * (100 + 8 * len(line)) / 800, "the line is within the box"
        assert y1 < top and top + 4 < y2 and 7 <= y2 - y1 < 12
        assert row["seed"]["method"] == "text" and row["seed"]["ocr"].startswith("rapidocr ")
    reasons = {row["id"]: row["reason"] for row in read_lines(given / "seeded.rejected.jsonl")}
    assert reasons == {"away": "answer not in the text", "broken": "undecodable image"}
    out = capsys.readouterr()
    assert "2 of 4 rows have a box" in out.out and str(given / "broken.png") in out.err

    # What was read is kept: the same command again reads only what could not be read.
    read = []

    def texts(folder, images, workers):
        read.extend(images)
        return ((image, text.Rejection("undecodable image")) for image in images)

    monkeypatch.setattr(text, "_texts", texts)
    (given / "seeded.jsonl").unlink()
    assert main(command(given, "seeded.jsonl")) == 0
    assert read == ["broken.png"] and read_lines(given / "seeded.jsonl") == [total, shop]


def test_labels_of_the_page_are_asked_for(given, capsys):
    assert main(command(given, "labelled.jsonl", "--labels", "5")) == 0
    rows = [row for row in read_lines(given / "labelled.jsonl") if row.get("kind") == "label"]
    assert [(row["question"], row["answers"]) for row in rows] == [("What is the date?", ["2024-03-17"])]
    assert rows[0]["box"][1] < 26 and rows[0]["box"][3] > 30 and rows[0]["image"] == "page.png"
    assert "2 of 4 rows have a box, and 1 about labels" in capsys.readouterr().out


def test_room_around_a_line():
    assert text.room_around((40.0, 50.0, 60.0, 52.0)) == (33.0, 47.5, 67.0, 54.5)
    assert text.room_around((10.0, 40.0, 90.0, 50.0)) == (0.0, 34.0, 100.0, 56.0)
    assert text.room_around((0.0, 0.0, 4.0, 2.0)) == (0.0, 0.0, 11.0, 4.5)
    assert text.room_around((40.0, 50.0, 60.0, 52.0), (20.0, 12.0)) == (30.0, 45.0, 70.0, 57.0)


def test_an_ocr_that_is_not_installed(given, capsys, monkeypatch):
    monkeypatch.setattr(ocr, "PACKAGE", "no-such-ocr")
    assert main(command(given, "x.jsonl")) == 2
    assert "pip install 'cropvlm-trainer[ocr]'" in capsys.readouterr().err


def test_options_of_other_methods_are_refused(given, capsys):
    assert main(command(given, "x.jsonl", "--n", "3")) == 2
    assert "--n is for --method grid" in capsys.readouterr().err
    assert main(command(given, "x.jsonl", "--workers", "0")) == 2
    assert "--workers must be above 0" in capsys.readouterr().err
