"""Seed boxes drawn by a cropper: the best of them by the reward VLM, and a command that goes on after a kill."""

from __future__ import annotations

import argparse

import pytest
from support.lines import read_lines

from cropvlm_trainer.boxes import WHOLE
from cropvlm_trainer.cli import main
from cropvlm_trainer.data.seed import best_of
from cropvlm_trainer.data.seed.best_of import BestOf, _best
from cropvlm_trainer.data.seed.grid import reward_search
from cropvlm_trainer.golden.fixtures.models import TINY
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel


def command(folder, out: str, *more: str) -> list[str]:
    pages = folder / "pages"
    paths = ["--manifest", str(pages / "manifest.jsonl"), "--out", str(pages / out)]
    cropper = ["--cropper", str(folder / "base"), "--base", str(folder / "base")]
    return ["data", "seed", "--method", "best-of", *paths, *cropper, "--draws", "4", *more]


@pytest.fixture
def drawn(monkeypatch):
    """The tiny model writes no boxes: here its completions stand for boxes, by how they begin."""

    def boxes(tokenizer, completions):
        firsts = completions.ids[:, 0].tolist()
        return [("", None if first % 5 == 0 else (first % 40, 10, first % 40 + 30, 60)) for first in firsts]

    monkeypatch.setattr(best_of, "decode_boxes", boxes)


def test_rows_get_the_box_that_helps_most(folder, drawn):
    assert main(command(folder, "best.jsonl")) == 0
    given = {row["id"]: row for row in read_lines(folder / "pages/manifest.jsonl")}
    seeded = read_lines(folder / "pages/best.jsonl")
    rejected = read_lines(folder / "pages/best.rejected.jsonl")
    assert {row["id"] for row in seeded} | {row["id"] for row in rejected} == set(given) and seeded
    reward: RewardModel = reward_search(folder / "base", None, "cpu").reward
    options = argparse.Namespace(resolution=None, device="cpu", draws=4, temperature=1.0, seed=0)
    draw = BestOf(folder / "base", folder / "base", options)
    for row in seeded:
        image = best_of.open_picture(folder / "pages" / row["image"])
        example = Example(image, row["question"], row["answers"])
        (boxes,) = draw._boxes([row], [example])
        assert len(boxes) == 4
        (scores,) = reward.log_likelihoods([example], [[*boxes, WHOLE]]).tolist()
        valid = {box: score for box, score in zip(boxes, scores, strict=False) if box}
        assert tuple(row["box"]) == max(valid, key=valid.get)
        assert row["seed"]["method"] == "best-of" and row["true_box"] == given[row["id"]]["box"]
        assert row["seed"]["log_likelihood"] == pytest.approx(max(valid.values()), abs=1e-3)
        assert row["seed"]["log_likelihood"] > row["seed"]["whole"] == pytest.approx(scores[-1], abs=1e-3)
    assert {row["reason"] for row in rejected} <= {"no valid box", "no box helps"}
    assert main(command(folder, "best.jsonl")) == 2, "what is there is not written over"


def test_invalid_boxes_are_never_the_best():
    boxes = [None, (0, 0, 5, 5), (1, 1, 9, 9), None]
    found = _best(boxes, [-0.1, -3.0, -2.0, -0.1, -4.0])
    assert found == {"box": (1, 1, 9, 9), "log_likelihood": -2.0, "whole": -4.0, "valid": 2}
    assert _best([None], [-1.0, -1.0])["box"] is None


def test_a_killed_run_goes_on_and_draws_the_same(folder, drawn, monkeypatch):
    assert main(command(folder, "whole.jsonl", "--seed", "3")) == 0
    monkeypatch.setattr(best_of, "BATCH", 2)
    calls, draw = [], BestOf.__call__

    def dying(self, rows, images):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(rows)
        return draw(self, rows, images)

    monkeypatch.setattr(BestOf, "__call__", dying)
    with pytest.raises(KeyboardInterrupt):
        main(command(folder, "killed.jsonl", "--seed", "3"))
    assert not (folder / "pages/killed.jsonl").exists()
    calls.clear()
    assert main(command(folder, "killed.jsonl", "--seed", "3")) == 0
    assert len(calls) == 1, "four of the six rows were kept"
    whole, killed = (read_lines(folder / f"pages/{name}.jsonl") for name in ("whole", "killed"))
    assert [(row["id"], row["box"]) for row in killed] == [(row["id"], row["box"]) for row in whole]


def test_an_error_names_its_rows(folder, drawn, monkeypatch):
    monkeypatch.setattr(best_of, "BATCH", 2)
    draw, rows = BestOf.__call__, read_lines(folder / "pages/manifest.jsonl")

    def failing(self, some, images):
        if some[0]["id"] == rows[2]["id"]:
            raise RuntimeError("out of memory")
        return draw(self, some, images)

    monkeypatch.setattr(BestOf, "__call__", failing)
    with pytest.raises(RuntimeError, match="out of memory") as caught:
        main(command(folder, "failed.jsonl", "--seed", "4"))
    assert caught.value.__notes__ == [f"in the rows {rows[2]['id']}, {rows[3]['id']}"]


def test_shards_put_together_are_the_whole(folder, drawn, monkeypatch):
    # what is drawn for a row may depend on the others of its batch
    monkeypatch.setattr(best_of, "BATCH", 1)
    pages = folder / "pages"
    assert main(command(folder, "all.jsonl", "--seed", "5")) == 0
    parts = [pages / f"half{number}.jsonl" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        assert main(command(folder, part.name, "--seed", "5", "--shard", f"{number}/2")) == 0
    merge = ["data", "merge", "--manifest", str(pages / "manifest.jsonl"), "--out", str(pages / "put.jsonl")]
    assert main([*merge, "--parts", *map(str, reversed(parts))]) == 0
    assert (pages / "put.jsonl").read_bytes() == (pages / "all.jsonl").read_bytes()


def test_what_no_box_reaches_is_refused(folder, drawn, capsys):
    assert main(command(folder, "none.jsonl", "--least", "-0.001")) == 2
    error = capsys.readouterr().err
    assert "no row got a box" in error and "a lower --least" in error
    assert TINY.tile == 64 and not (folder / "pages/none.jsonl").exists()
    assert main(command(folder, "none.jsonl", "--resolution", "70")) == 2
    assert "--resolution" in capsys.readouterr().err
    alone = [part for part in command(folder, "none.jsonl") if part != "--base"]
    alone.remove(str(folder / "base"))
    assert main(alone) == 2
    assert "is no adapter, which would name its base; give the reward model by --base" in capsys.readouterr().err
    assert main(command(folder, "none.jsonl", "--n", "5")) == 2
    assert "--n is for --method grid; leave it out beside --method best-of" in capsys.readouterr().err
