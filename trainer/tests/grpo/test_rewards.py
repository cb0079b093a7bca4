from __future__ import annotations

import pytest
import torch
from support.reward_examples import EXAMPLES

from cropvlm_trainer.golden.fixtures.models import tiny_model
from cropvlm_trainer.grpo import rewards as rewards_module
from cropvlm_trainer.grpo.rewards import Accuracy, LogLikelihood, accuracy
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel


def test_the_reward_vlm_is_the_base_whatever_the_policy_has_become(encoder, policy):
    boxes = [[(0, 0, 50, 50), None], [(20, 20, 90, 90), (0, 0, 100, 100)]]
    with torch.no_grad():
        for parameter in policy.trained_parameters:
            parameter.add_(0.05)
    found = LogLikelihood(policy, RewardModel(policy.model, encoder, 64))(EXAMPLES, boxes)
    expected = RewardModel(tiny_model(2), encoder, 64).log_likelihoods(EXAMPLES, boxes)
    torch.testing.assert_close(found["log_likelihood"], expected)
    assert found["format"].tolist() == [[1.0, 0.0], [1.0, 1.0]]


def test_the_accuracy_reward_measures_greedy_answers(encoder, policy, monkeypatch):
    boxes = [[(0, 0, 50, 50), None], [(20, 20, 90, 90), (0, 0, 100, 100)]]
    reward_model = RewardModel(policy.model, encoder, 64)
    with policy.reward_model():
        answers = reward_model.answers(EXAMPLES, boxes)
    examples = [Example(e.image, e.question, [group[0]]) for e, group in zip(EXAMPLES, answers, strict=True)]
    found = Accuracy(policy, reward_model)(examples, boxes)
    assert found["accuracy"][:, 0].tolist() == [1.0, 1.0]
    assert found["format"].tolist() == [[0.25, 0.0], [0.25, 0.25]]


def test_the_measure_goes_by_the_source():
    people = ["dakota"] * 3 + ["nokia"] * 7
    assert accuracy("Dakota.", Example(EXAMPLES[0].image, "?", people, "textvqa")) == pytest.approx(0.9)
    assert accuracy("Dakota.", Example(EXAMPLES[0].image, "?", people, "docvqa")) == 1.0
    assert accuracy("Dakata", Example(EXAMPLES[0].image, "?", people, "docvqa")) == pytest.approx(5 / 6)
    assert accuracy("Dakata", Example(EXAMPLES[0].image, "?", people, "textvqa")) == 0.0
    assert set(rewards_module.REWARDS) == {"log_likelihood", "accuracy"}
