from __future__ import annotations

import pytest
import torch
from support.reward_examples import EXAMPLES

from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.grpo.reward import rewards as rewards_module
from cropvlm_trainer.grpo.reward.floor import Floored
from cropvlm_trainer.grpo.reward.rewards import Accuracy, LogLikelihood, make_reward, with_format
from cropvlm_trainer.grpo.reward.scorer import accuracy
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.training.stages import GrpoConfig


def test_the_reward_vlm_is_the_base_whatever_the_policy_has_become(encoder, policy):
    boxes = [[(0, 0, 50, 50), None], [(20, 20, 90, 90), (0, 0, 100, 100)]]
    with torch.no_grad():
        for parameter in policy.trained_parameters:
            parameter.add_(0.05)
    found = LogLikelihood(policy.reward_model, RewardModel(policy.model, encoder, 64))(EXAMPLES, boxes)
    expected = RewardModel(tiny_model(2), encoder, 64).log_likelihoods(EXAMPLES, boxes)
    torch.testing.assert_close(found["log_likelihood"], expected)
    assert found["format"].tolist() == [[1.0, 0.0], [1.0, 1.0]]


def test_the_accuracy_reward_measures_greedy_answers(encoder, policy, monkeypatch):
    boxes = [[(0, 0, 50, 50), None], [(20, 20, 90, 90), (0, 0, 100, 100)]]
    reward_model = RewardModel(policy.model, encoder, 64)
    with policy.reward_model():
        answers = reward_model.answers(EXAMPLES, boxes)
    examples = [Example(e.image, e.question, [group[0]]) for e, group in zip(EXAMPLES, answers, strict=True)]
    found = Accuracy(policy.reward_model, reward_model)(examples, boxes)
    assert found["accuracy"][:, 0].tolist() == [1.0, 1.0]
    assert found["format"].tolist() == [[0.25, 0.0], [0.25, 0.25]]


def test_the_measure_goes_by_the_source():
    people = ["dakota"] * 3 + ["nokia"] * 7
    assert accuracy("Dakota.", Example(EXAMPLES[0].image, "?", people, "textvqa")) == pytest.approx(0.9)
    assert accuracy("Dakota.", Example(EXAMPLES[0].image, "?", people, "docvqa")) == 1.0
    assert accuracy("Dakata", Example(EXAMPLES[0].image, "?", people, "docvqa")) == pytest.approx(5 / 6)
    assert accuracy("Dakata", Example(EXAMPLES[0].image, "?", people, "textvqa")) == 0.0
    people, image = ["dakota"], EXAMPLES[0].image
    assert accuracy("Dakata", Example(image, "?", people)) == 0.0, "exact match, as in evaluations"
    assert accuracy("Dakata", Example(image, "?", people), "anls") == pytest.approx(5 / 6)
    seen = Example(image, "?", ["B"], "V*", ["left", "right"])
    assert (accuracy("(B)", seen), accuracy("left", seen)) == (1.0, 0.0)
    assert set(rewards_module.REWARDS) == {"log_likelihood", "accuracy"}


def test_without_a_valid_box_a_penalty_is_the_worst_of_the_groups_valid_boxes():
    values = torch.tensor([[-3.0, -1.0, -9.0], [-2.0, -5.0, -4.0], [-7.0, -7.0, -7.0]])
    box = (0, 0, 9, 9)
    boxes = [[box, None, box], [None, box, box], [None, None, None]]
    found = with_format("log_likelihood", values, boxes, 1.0, "penalty")
    assert found["log_likelihood"].tolist() == [[-3, -9, -9], [-5, -5, -4], [-7, -7, -7]]
    total = sum(found.values())
    assert total[0].argmin() == 1 and total[1].argmin() == 0, "saying nothing never beats a valid box"
    assert with_format("x", values, boxes, 1.0, "full")["x"].tolist() == values.tolist()


def test_the_released_code_shows_two_by_two_pixels_where_there_is_no_box(encoder, policy):
    reward_model = RewardModel(policy.model, encoder, 64)
    found = LogLikelihood(policy.reward_model, reward_model, invalid="2x2")([EXAMPLES[1]], [[None, (0, 0, 100, 100)]])
    full, other = found["log_likelihood"][0].tolist()[1], found["log_likelihood"][0].tolist()[0]
    # The same pixels as a box of per cents: the picture is 64 x 64, so the corner is 2 / 64 of a side.
    corner = EXAMPLES[1].image.crop((0, 0, 2, 2))
    assert other != pytest.approx(full, abs=1e-4) and corner.size == (2, 2)
    large = Example(EXAMPLES[1].image.resize((200, 200), 0), EXAMPLES[1].question, EXAMPLES[1].answers)
    boxed = LogLikelihood(policy.reward_model, reward_model)([large], [[(0, 0, 1, 1)]])["log_likelihood"]
    cornered = LogLikelihood(policy.reward_model, reward_model, invalid="2x2")([large], [[None]])["log_likelihood"]
    torch.testing.assert_close(cornered, boxed)


def test_a_mean_is_over_the_answers_tokens(encoder, policy):
    boxes = [[(0, 0, 50, 50), None], [(20, 20, 90, 90), (0, 0, 100, 100)]]
    reward_model = RewardModel(policy.model, encoder, 64)
    sums = LogLikelihood(policy.reward_model, reward_model)(EXAMPLES, boxes)["log_likelihood"]
    means = LogLikelihood(policy.reward_model, reward_model, likelihood="mean")(EXAMPLES, boxes)["log_likelihood"]
    tokens = [len(reward_model.answer_ids(example.answers)) for example in EXAMPLES]
    assert len(set(tokens)) == 2
    torch.testing.assert_close(means * torch.tensor(tokens)[:, None], sums)


def test_no_value_is_below_the_floor(encoder, policy):
    boxes = [[(0, 0, 50, 50), (90, 0, 99, 9), (0, 80, 9, 99), None]]
    boxes += [[(20, 20, 90, 90), (0, 0, 9, 9), (0, 50, 100, 100), (0, 0, 100, 100)]]
    reward_model = RewardModel(policy.model, encoder, 64)
    bare = LogLikelihood(policy.reward_model, reward_model)(EXAMPLES, boxes)["log_likelihood"]
    middle = bare.mean().item()
    floored = LogLikelihood(policy.reward_model, reward_model, floor=middle)(EXAMPLES, boxes)["log_likelihood"]
    torch.testing.assert_close(floored, bare.clamp(min=middle))
    assert floored.min().item() == pytest.approx(middle)
    # What stands in for an invalid box is the full image too, and so is the crop of the whole page.
    whole = bare[:, 3:]
    full = LogLikelihood(policy.reward_model, reward_model, floor="full")(EXAMPLES, boxes)["log_likelihood"]
    torch.testing.assert_close(full, torch.maximum(bare, whole))
    assert full.shape == (2, 4) and not torch.equal(full, bare)


def test_the_floor_counts_for_the_likelihood_of_another_model(policy):
    values = torch.tensor([[-3.0, -9.0, -7.0]])
    boxes = [[(0, 0, 9, 9), (0, 0, 5, 5)]]

    def scored(examples, grouped):
        assert grouped[0][-1] == (0, 0, 100, 100) and len(grouped[0]) == 3
        return values

    found = rewards_module.OtherModel(Floored(scored, "full"), "log_likelihood", policy, "full")(EXAMPLES[:1], boxes)
    assert found["log_likelihood"].tolist() == [[-3, -7]]


def test_the_configuration_chooses(encoder, policy, tmp_path):
    def made(**settings):
        return make_reward(GrpoConfig(tmp_path, tmp_path, tmp_path, **settings), policy, encoder)

    assert (made().likelihood, made().invalid, made().reward_model.longest_edge) == ("sum", "full", 512)
    assert made(recipe="released").invalid == "2x2"
    assert made(recipe="released", invalid="full").invalid == "full"
    assert (made().floor, made(likelihood_floor="full").floor, made(likelihood_floor=-7).floor) == (None, "full", -7)
    accuracy = made(reward="accuracy", invalid="penalty")
    assert isinstance(accuracy, Accuracy) and accuracy.invalid == "penalty"
    with pytest.raises(ValueError, match='likelihood = "mean" is for log-likelihoods; leave it out'):
        made(reward="accuracy", likelihood="mean")
    with pytest.raises(ValueError, match="likelihood_floor = 'full' is for log-likelihoods; leave it out"):
        made(reward="accuracy", likelihood_floor="full")
    with pytest.raises(ValueError, match='likelihood_floor \\(1\\) must be below 0, as -7, or "full"'):
        made(likelihood_floor=1)
    with pytest.raises(ValueError, match="likelihood_floor \\(nan\\) must be below 0"):
        made(likelihood_floor=float("nan"))
    with pytest.raises(ValueError, match='reward_base is for rewards that are named, as "accuracy"; leave it out'):
        made(reward={"kind": "reader"}, reward_base=tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no config.json; name the folder of a checkpoint"):
        made(reward_base=tmp_path / "absent")


@pytest.mark.parametrize("name", ["log_likelihood", "accuracy"])
def test_the_reward_is_of_another_base_where_one_is_named(encoder, policy, tmp_path, name):
    boxes = [[(0, 0, 50, 50), None], [(20, 20, 90, 90), (0, 0, 100, 100)]]
    other = tmp_path / "other"
    save_checkpoint(tiny_model(5), TINY, tiny_tokenizer(), other, TRAINING)

    def found(**settings):
        config = GrpoConfig(tmp_path, tmp_path, tmp_path, reward=name, reward_resolution=64, **settings)
        return make_reward(config, policy, encoder)

    answers = found(reward_base=other).reward_model.answers(EXAMPLES, boxes)
    assert answers != found().reward_model.answers(EXAMPLES, boxes)
    examples = [Example(e.image, e.question, [group[0]]) for e, group in zip(EXAMPLES, answers, strict=True)]
    reward = found(reward_base=other)
    values = reward(examples, boxes)[name]
    if name == "accuracy":
        assert values[:, 0].tolist() == [1.0, 1.0]
    else:
        expected = RewardModel(tiny_model(5), encoder, 64).log_likelihoods(examples, boxes)
        torch.testing.assert_close(values, expected)
    assert not values.requires_grad and not any(p.requires_grad for p in reward.reward_model.model.parameters())
    with pytest.raises(ValueError, match="reward_resolution 100 must be a multiple of the model's tiles, 64 pixels"):
        make_reward(GrpoConfig(tmp_path, tmp_path, tmp_path, reward_base=other, reward_resolution=100), policy, encoder)
