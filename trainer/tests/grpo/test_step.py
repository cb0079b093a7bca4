"""A whole step on the tiny model: what it counts, and that its gradient raises the reward."""

from __future__ import annotations

import pytest
import torch
from support.reward_examples import EXAMPLES

from cropvlm_trainer.grpo.reward.rewards import LogLikelihood, valid_boxes
from cropvlm_trainer.grpo.step import Step, StepSettings, box_scalars
from cropvlm_trainer.idefics3.generation import Completions
from cropvlm_trainer.idefics3.reward_model import RewardModel


def generators(step: int):
    return [torch.Generator().manual_seed(100 * step + i) for i in range(len(EXAMPLES))]


class FirstTokenBoxes(Step):
    """The tiny model writes no boxes: here the first token stands for one, as wide as its id is odd."""

    def parse_boxes(self, completions: Completions, count: int):
        group = len(completions.ids) // count
        wide = [(0, 0, 100 if first % 2 else 50, 100) for first in completions.ids[:, 0].tolist()]
        return [wide[i : i + group] for i in range(0, len(wide), group)]


@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_steps_raise_the_reward(encoder, policy, recipe):
    def reward(examples, boxes):
        return {"narrow": torch.tensor([[float(box[2] == 50) for box in group] for group in boxes])}

    settings = StepSettings(longest_edge=64, group=16, max_new_tokens=1, beta=0.0, temperature=1.0, recipe=recipe)
    step = FirstTokenBoxes(policy, encoder, reward, settings)
    optimizer = torch.optim.AdamW(policy.trained_parameters, lr=1e-2)
    rewards = []
    for index in range(40):
        loss, scalars = step(EXAMPLES, generators(index))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rewards.append(scalars["reward"].item())
    first, last = sum(rewards[:4]) / 4, sum(rewards[-4:]) / 4
    assert first < 0.7 and last > 0.9, (first, last)


def test_the_log_tells_rewards_spread_and_validity(encoder, policy):
    def reward(examples, boxes):
        values = torch.tensor([[1.0, 3.0, 2.0], [5.0, 5.0, 5.0]])
        return {"likelihood": values, "format": 0.0 * values + 0.5}

    step = Step(policy, encoder, reward, StepSettings(longest_edge=64, group=3, max_new_tokens=4))
    loss, scalars = step(EXAMPLES, generators(0))
    assert loss.requires_grad
    assert scalars["reward"].item() == pytest.approx(4.0)
    assert scalars["reward/likelihood"].item() == pytest.approx(3.5)
    assert scalars["spread"].item() == pytest.approx(0.5)
    assert scalars["groups_without_spread"].item() == 0.5
    assert scalars["kl"].item() == pytest.approx(0, abs=1e-6), "the policy is still where the reference stands"
    assert scalars["valid"].item() == 0 and "area" not in scalars


def redrawing(policy, encoder, redraws: int, worth):
    """A step whose boxes are worth what `worth` says of an example's index among those asked; and what was asked."""
    asked = []

    def reward(examples, boxes):
        asked.append([example.question for example in examples])
        return {"worth": torch.tensor([[worth(len(asked), box) for box in group] for group in boxes])}

    settings = StepSettings(64, group=6, max_new_tokens=3, temperature=3.0, redraws=redraws, beta=0.0)
    return FirstTokenBoxes(policy, encoder, reward, settings), asked


def test_groups_without_spread_are_drawn_anew(encoder, policy):
    step, asked = redrawing(policy, encoder, 2, lambda call, box: float(box[2] == 50) if call > 2 else 1.0)
    loss, scalars = step(EXAMPLES, generators(0))
    both = [example.question for example in EXAMPLES]
    assert asked == [both, both, both]
    assert (scalars["redrawn"].item(), scalars["groups_without_spread"].item()) == (2.0, 0.0)
    assert torch.autograd.grad(loss, policy.trained_parameters, allow_unused=True)[0] is not None
    widths = torch.tensor([[float(box[2] == 50) for box in group] for group in step.outcome.boxes])
    assert torch.equal(step.outcome.rewards["worth"], widths), "boxes and rewards are those of the last draws"
    first, _ = redrawing(policy, encoder, 0, lambda call, box: 1.0)
    first(EXAMPLES, generators(0))
    assert first.outcome.boxes != step.outcome.boxes


def test_a_group_that_has_spread_is_kept(encoder, policy):
    """The second question's boxes are worth the same at first; the first question's are not, and stay."""

    def reward(examples, boxes):
        asked.append(len(examples))
        narrow = [[float(box[2] == 50) for box in group] for group in boxes]
        return {"worth": torch.tensor([narrow[0], [1.0] * 6] if len(examples) == 2 else narrow)}

    asked: list[int] = []
    settings = StepSettings(64, group=6, max_new_tokens=3, temperature=3.0, redraws=1, beta=0.0)
    step = FirstTokenBoxes(policy, encoder, reward, settings)
    kept, _ = redrawing(policy, encoder, 0, lambda call, box: float(box[2] == 50))
    kept(EXAMPLES, generators(0))
    _, scalars = step(EXAMPLES, generators(0))
    assert asked == [2, 1] and scalars["redrawn"].item() == 0.5
    assert step.outcome.boxes[0] == kept.outcome.boxes[0]
    assert torch.equal(step.outcome.rewards["worth"][0], kept.outcome.rewards["worth"][0])
    assert step.outcome.rewards["worth"][1].tolist() == [float(box[2] == 50) for box in step.outcome.boxes[1]]


def test_a_question_is_trained_alike_whatever_it_is_batched_with(encoder, policy):
    """The mathematics of a batch is the mean of its questions': what several processes rely on."""
    reward_model = RewardModel(policy.model, encoder, 64)
    likelihood = LogLikelihood(policy.reward_model, reward_model)
    step = FirstTokenBoxes(policy, encoder, likelihood, StepSettings(64, group=6, max_new_tokens=5, temperature=3.0))

    def gradient(*rows: int) -> torch.Tensor:
        policy.peft_model.zero_grad(set_to_none=True)
        loss, _ = step([EXAMPLES[row] for row in rows], [generators(4)[row] for row in rows])
        loss.backward()
        return torch.cat([p.grad.flatten() for p in policy.trained_parameters if p.grad is not None])

    together, alone = gradient(0, 1), (gradient(0) + gradient(1)) / 2
    assert together.abs().max() > 0
    torch.testing.assert_close(together, alone, atol=1e-5 * together.abs().max().item(), rtol=1e-3)


def test_areas_are_of_valid_boxes_alone():
    boxes = [[(0, 0, 50, 50), None], [(0, 0, 100, 100), None]]
    assert {name: value.item() for name, value in box_scalars(boxes).items()} == {"valid": 0.5, "area": 0.625}
    assert valid_boxes(boxes).tolist() == [[1, 0], [1, 0]]
