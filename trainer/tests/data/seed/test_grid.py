"""Seed boxes by exhaustive search: the grid, the noise, the scores, and a command that goes on after a kill."""

from __future__ import annotations

import json

import pytest
from support.lines import read_lines

from cropvlm_trainer.cli import main
from cropvlm_trainer.data.seed import grid
from cropvlm_trainer.data.seed.search import GridSearch, cut_views, rectangles
from cropvlm_trainer.golden.fixtures.models import TINY


def command(folder, out: str, *more: str) -> list[str]:
    pages = folder / "pages"
    paths = ["--manifest", str(pages / "manifest.jsonl"), "--out", str(pages / out), "--base", str(folder / "base")]
    return ["data", "seed", "--method", "grid", *paths, "--n", "2", *more]


def test_rows_get_the_best_box_with_noise(folder):
    assert main(command(folder, "seeded.jsonl")) == 0
    given, seeded = read_lines(folder / "pages/manifest.jsonl"), read_lines(folder / "pages/seeded.jsonl")
    assert [row["id"] for row in seeded] == [row["id"] for row in given] and len(given) == 6
    for row, before in zip(seeded, given, strict=True):
        best, box = row["seed"]["box"], row["box"]
        assert tuple(best) in rectangles(2) and row["seed"]["log_likelihood"] < 0
        assert box[0] <= best[0] and box[1] <= best[1] and box[2] >= best[2] and box[3] >= best[3]
        assert max(abs(a - b) for a, b in zip(box, best, strict=True)) <= 50
        assert row["true_box"] == before["box"]
    search = grid.reward_search(folder / "base", None, "cpu")
    for row in seeded:
        image = grid.open_picture(folder / "pages" / row["image"])
        views = cut_views(image, rectangles(2), TINY.tile, TINY.tile)
        scores = search(views, [(row["question"], row["answers"])])[0]
        assert rectangles(2)[int(scores.argmax())] == tuple(row["seed"]["box"])
    assert main(command(folder, "seeded.jsonl")) == 2, "what is there is not written over"


def test_a_killed_search_goes_on(folder, monkeypatch):
    assert main(command(folder, "whole.jsonl", "--seed", "3")) == 0
    searched, search = [], GridSearch.__call__

    def dying(self, views, questions):
        if len(searched) == 2:
            raise KeyboardInterrupt
        searched.append(questions)
        return search(self, views, questions)

    monkeypatch.setattr(GridSearch, "__call__", dying)
    with pytest.raises(KeyboardInterrupt):
        main(command(folder, "killed.jsonl", "--seed", "3"))
    assert not (folder / "pages/killed.jsonl").exists()
    searched.clear()
    assert main(command(folder, "killed.jsonl", "--seed", "3")) == 0
    assert len(searched) == 1, "two of the three pages were kept"
    assert (folder / "pages/killed.jsonl").read_bytes() == (folder / "pages/whole.jsonl").read_bytes()


def test_an_error_names_the_page_whose_rows_it_is_about(folder, monkeypatch):
    search = GridSearch.__call__

    def failing(self, views, questions):
        if questions[0][0] == rows[2]["question"]:
            raise RuntimeError("out of memory")
        return search(self, views, questions)

    rows = read_lines(folder / "pages/manifest.jsonl")
    monkeypatch.setattr(GridSearch, "__call__", failing)
    with pytest.raises(RuntimeError, match="out of memory") as caught:
        main(command(folder, "failed.jsonl", "--seed", "4"))
    assert caught.value.__notes__ == [f"in the rows of {rows[2]['image']} in {folder / 'pages/manifest.jsonl'}"]


def test_rows_without_an_answer_to_learn_get_no_box(folder, capsys):
    pages = folder / "pages"
    rows = read_lines(pages / "manifest.jsonl")[:3]
    rows[1]["answers"] = ["unanswerable", ""]
    rows[2]["answers"] = ["", "", *rows[2]["answers"]]
    (pages / "votes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    votes = command(folder, "voted.jsonl")
    votes[votes.index("--manifest") + 1] = str(pages / "votes.jsonl")
    assert main(votes) == 0
    assert [row["id"] for row in read_lines(pages / "voted.jsonl")] == [rows[0]["id"], rows[2]["id"]]
    assert "1 rows of" in capsys.readouterr().err


def test_wrong_requests_are_refused(folder, capsys):
    assert main(command(folder, "x.jsonl", "--resolution", "70")) == 2
    assert "multiple of the model's tiles" in capsys.readouterr().err
    elsewhere = command(folder, "x.jsonl")
    elsewhere[elsewhere.index("--out") + 1] = str(folder / "x.jsonl")
    assert main(elsewhere) == 2
    assert "relative to the manifest" in capsys.readouterr().err
