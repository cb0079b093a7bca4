"""The weights that a run keeps beside the finished ones."""

from __future__ import annotations

import json

import pytest
import torch

from cropvlm_trainer.training.dev import KeptWeights, mean_scores


@pytest.fixture
def save():
    def save(folder, training):
        folder.mkdir()
        (folder / "training.json").write_text(json.dumps(training))

    return save


def told(folder) -> dict:
    return json.loads((folder / "training.json").read_text())


def test_the_best_is_the_first_of_the_highest_score(tmp_path, save):
    kept = KeptWeights(tmp_path, 0, save)
    for step, score in ((1, -3.0), (2, -1.0), (3, -1.0), (4, -2.0)):
        kept.keep_if_best(step, score, {"valid": 0.5})
        kept.keep_last(step)
    assert told(tmp_path / "best") == {"steps": 2, "eval": {"score": -1.0, "valid": 0.5}}
    assert told(tmp_path / "last") == {"steps": 4}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "last"]


def test_a_run_that_goes_on_has_the_best_of_before_unless_its_step_is_taken_again(tmp_path, save):
    KeptWeights(tmp_path, 0, save).keep_if_best(5, 0.7, {})
    KeptWeights(tmp_path, 5, save).keep_if_best(6, 0.6, {})
    assert told(tmp_path / "best")["steps"] == 5
    again = KeptWeights(tmp_path, 4, save)
    assert not (tmp_path / "best").exists()
    again.keep_if_best(5, 0.1, {})
    assert told(tmp_path / "best")["eval"]["score"] == 0.1


def test_means_are_over_all_rows():
    rows = [{"value": float(number)} for number in range(20)]
    sizes = []

    def score(some):
        sizes.append(len(some))
        return {"value": sum(row["value"] for row in some)}

    assert mean_scores(rows, ["value"], score, torch.device("cpu")) == {"value": 9.5}
    assert sizes == [8, 8, 4]
