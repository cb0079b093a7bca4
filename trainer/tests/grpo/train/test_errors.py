"""What GRPO cannot train with is named."""

from __future__ import annotations

import pytest
from support.runs.grpo import command

from cropvlm_trainer.cli import main
from cropvlm_trainer.grpo import train as train_module


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"reward": '{ kind = "endpoint", url = "http://x/v1" }'}, "reward.model is not set"),
        (
            {"reward": '{ kind = "endpoint", url = "http://x/v1", model = "m", timeout = 0 }'},
            "reward.timeout must be above 0; it is in seconds",
        ),
        ({"reward": '{ kind = "endpoint", url = "x/v1", model = "m" }'}, "reward.url x/v1 must start with http"),
        (
            {"reward": '{ kind = "endpoint", uri = "x" }'},
            "unknown key reward.uri; known here are kind, url, model, prompt",
        ),
        (
            {"measure": "beauty"},
            "measure = 'beauty' is none of own, exact_match, vqa_accuracy, anls, contains, contains_anls, nor",
        ),
        ({"mu": 0}, "mu must be 1 or more"),
        ({"epsilon": 1.0}, "epsilon must be below 1; PPO has 0.2"),
        ({"epsilon_high": 0}, "epsilon_high must be above 0; DAPO has 0.28"),
        ({"invalid": "nothing"}, "invalid = 'nothing' is not 'full', 'penalty' or '2x2'"),
        ({"group": 1}, "group must be 2 or more"),
        ({"sample_every": -1}, "sample_every must be 0 or more"),
        ({"max_steps": 0}, "max_steps must be 1 or more"),
        ({"batch": 5}, "must be a multiple of micro_batch"),
        ({"batch": 40, "micro_batch": 40}, "has 12 questions, less than a batch of 40"),
        ({"resolution": 100}, "resolution 100 must be a multiple of the model's tiles, 64 pixels"),
        ({"resolution": 64 * 64}, "resolution 4096 is too large"),
        ({"temperature": 0}, "temperature must be above 0"),
        ({"max_new_tokens": 0}, "max_new_tokens must be 1 or more"),
        ({"beta": -1}, "beta must be 0 or more"),
        ({"reward": "beauty"}, "reward = 'beauty' is not 'log_likelihood' or 'accuracy'"),
        ({"data": "nowhere.jsonl"}, "nowhere.jsonl is not a file"),
    ],
)
def test_what_cannot_be_trained_is_named(given, tmp_path, capsys, other, message):
    assert main(command(given, tmp_path, **other)) == 2
    assert message in capsys.readouterr().err


def test_an_error_names_its_rows(given, tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise ValueError("no memory")

    monkeypatch.setattr(train_module.Step, "draw", broken)
    assert main(command(given, tmp_path)) == 2
    error = capsys.readouterr().err
    assert "no memory (in step 1, with the rows synth-5-" in error and error.count("synth-5-") == 2
