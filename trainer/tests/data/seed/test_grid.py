"""Seed boxes by exhaustive search: the grid, the noise, the scores, and a command that goes on after a kill."""

from __future__ import annotations

import json
from random import Random

import pytest
import torch
from transformers import AutoProcessor

from cropvlm_trainer.boxes import widened
from cropvlm_trainer.cli import main
from cropvlm_trainer.data.seed import grid
from cropvlm_trainer.data.seed.search import GridSearch, cut_views, rectangles
from cropvlm_trainer.data.synth import dataset
from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.golden.fixture import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`base`, a tiny checkpoint, and pages with two questions each."""
    out = tmp_path_factory.mktemp("given")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), out / "base", TRAINING)
    dataset.write(out / "pages", 3, 5, questions_per_page=2)
    return out


def command(folder, out: str, *more: str) -> list[str]:
    pages = folder / "pages"
    paths = ["--manifest", str(pages / "manifest.jsonl"), "--out", str(pages / out), "--base", str(folder / "base")]
    return ["data", "seed", "--method", "grid", *paths, "--n", "2", *more]


def rows_of(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_grid_has_all_its_rectangles_once_small_ones_first():
    boxes = rectangles(5)
    assert len(boxes) == len(set(boxes)) == 225
    assert boxes[0] == (0, 0, 20, 20) and boxes[-1] == (0, 0, 100, 100)
    assert {side for box in boxes for side in box} == {0, 20, 40, 60, 80, 100}
    assert rectangles(3)[0] == (0, 0, 33, 33)
    narrow = rectangles(10, 2)
    assert len(narrow) == 361 and max(max(x2 - x1, y2 - y1) for x1, y1, x2, y2 in narrow) == 20
    with pytest.raises(ValueError, match="--n 0"):
        rectangles(0)


def test_noise_widens_by_at_most_a_cell_and_stays_inside():
    drawn = [widened((20, 40, 60, 80), 5, Random(seed)) for seed in range(200)]
    for x1, y1, x2, y2 in drawn:
        assert 0 <= x1 <= 20 and 20 <= y1 <= 40 and 60 <= x2 <= 80 and 80 <= y2 <= 100
    assert max(box[2] for box in drawn) > 78 and min(box[2] for box in drawn) < 62
    assert widened((0, 0, 100, 100), 5, Random(1)) == (0, 0, 100, 100)


@pytest.mark.parametrize("longest_edge", [TINY.tile, 3 * TINY.tile])
def test_scores_are_those_of_the_reward_vlm(folder, longest_edge):
    encoder = PromptEncoder(AutoProcessor.from_pretrained(folder / "base"))
    reward = RewardModel(tiny_model(2), encoder, longest_edge, batch_size=3)
    image = pattern_image("strokes", 90, 70)
    examples = [Example(image, "What is the total?", ["7"]), Example(image, "Is it <image>?", ["12.50: x", "no"])]
    boxes = [(0, 0, 20, 100), (40, 20, 60, 40), (0, 0, 100, 20), (0, 0, 100, 100)]
    views = cut_views(image, boxes, longest_edge, TINY.tile)
    found = GridSearch(reward)(views, [(example.question, example.answers) for example in examples])
    assert found.shape == (2, 4) and found.std(dim=1).min() > 0.01
    torch.testing.assert_close(found, reward.log_likelihoods(examples, [boxes, boxes]), atol=2e-5, rtol=1e-5)


def test_rows_get_the_best_box_with_noise(folder):
    assert main(command(folder, "seeded.jsonl")) == 0
    given, seeded = rows_of(folder / "pages/manifest.jsonl"), rows_of(folder / "pages/seeded.jsonl")
    assert [row["id"] for row in seeded] == [row["id"] for row in given] and len(given) == 6
    for row, before in zip(seeded, given, strict=True):
        best, box = row["seed"]["box"], row["box"]
        assert tuple(best) in rectangles(2) and row["seed"]["log_likelihood"] < 0
        assert box[0] <= best[0] and box[1] <= best[1] and box[2] >= best[2] and box[3] >= best[3]
        assert max(abs(a - b) for a, b in zip(box, best, strict=True)) <= 50
        assert row["true_box"] == before["box"]
    search = grid.reward_search(folder / "base", None, torch.device("cpu"))
    for row in seeded:
        image = grid.load_image(folder / "pages" / row["image"])
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


def test_wrong_requests_are_refused(folder, capsys):
    assert main(command(folder, "x.jsonl", "--resolution", "70")) == 2
    assert "multiple of the model's tiles" in capsys.readouterr().err
    elsewhere = command(folder, "x.jsonl")
    elsewhere[elsewhere.index("--out") + 1] = str(folder / "x.jsonl")
    assert main(elsewhere) == 2
    assert "relative to the manifest" in capsys.readouterr().err
