import math

import pytest
import torch

from cropvlm_trainer.grpo.loss import advantages, clipped_share, grpo_loss, kl_per_token, scoring_temperature

REWARDS = torch.tensor([[1.0, 2.0, 3.0, 6.0], [5.0, 5.0, 5.0, 5.0]])


def test_the_paper_divides_by_the_groups_spread_and_the_released_code_does_not():
    released = advantages(REWARDS, "released")
    assert released.tolist() == [[-2.0, -1.0, 0.0, 3.0], [0.0] * 4]
    spread = math.sqrt((4 + 1 + 0 + 9) / 3) + 1e-4
    torch.testing.assert_close(advantages(REWARDS, "paper"), released / torch.tensor([[spread], [1.0]]))


def test_kl_is_zero_for_equal_and_positive_for_other_policies():
    same = torch.tensor([-1.0, -2.0])
    assert kl_per_token(same, same).tolist() == [0.0, 0.0]
    found = kl_per_token(torch.log(torch.tensor([0.5])), torch.log(torch.tensor([0.25])))
    assert found.item() == pytest.approx(0.5 - 1 + math.log(2), rel=1e-6)


@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_losses_by_hand(recipe):
    log_probs = torch.tensor([[-1.0, -2.0, 0.0], [-0.5, 0.0, 0.0]], requires_grad=True)
    reference = torch.tensor([[-1.5, -2.0, 0.0], [-0.5, 0.0, 0.0]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    advantage = torch.tensor([2.0, -1.0])
    loss = grpo_loss(log_probs, reference, mask, advantage, beta=0.1, recipe=recipe, max_new_tokens=8)
    penalty = 0.1 * (math.exp(-0.5) + 0.5 - 1)
    first, second = -2.0 - 2.0 + penalty, 1.0
    expected = (first + second) / 16 if recipe == "released" else (first / 2 + second) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    share = 1 / 16 if recipe == "released" else 1 / 4
    drift = 0.1 * (1 - math.exp(-0.5))
    assert log_probs.grad[0].tolist() == pytest.approx([(-2 + drift) * share, -2 * share, 0])
    share = 1 / 16 if recipe == "released" else 1 / 2
    assert log_probs.grad[1].tolist() == pytest.approx([share, 0, 0])


@pytest.mark.parametrize(
    ("ratio", "advantage", "high", "factor", "is_clipped"),
    [
        (1.1, 1.0, None, 1.1, False),
        (1.5, 1.0, None, 1.2, True),
        (1.5, 1.0, 0.6, 1.5, False),
        (1.5, -1.0, None, 1.5, False),
        (0.5, -1.0, 0.6, 0.8, True),
        (0.5, 1.0, None, 0.5, False),
    ],
)
def test_the_ratio_is_clipped_where_it_would_pay_more(ratio, advantage, high, factor, is_clipped):
    log_probs = torch.tensor([[math.log(ratio * 0.5)]], requires_grad=True)
    old, mask, worth = torch.log(torch.tensor([[0.5]])), torch.tensor([[True]]), torch.tensor([advantage])
    how = {"beta": 0.0, "recipe": "paper", "max_new_tokens": 1, "epsilon": 0.2, "epsilon_high": high}
    loss = grpo_loss(log_probs, None, mask, worth, old_log_probs=old, **how)
    assert loss.item() == pytest.approx(-factor * advantage, rel=1e-6)
    loss.backward()
    assert log_probs.grad.item() == pytest.approx(0 if is_clipped else -ratio * advantage, rel=1e-6)
    assert clipped_share(log_probs, old, mask, worth, 0.2, high).item() == is_clipped


def test_the_released_code_scores_at_a_temperature_of_one():
    assert scoring_temperature("paper", 0.8) == 0.8 and scoring_temperature("released", 0.8) == 1.0
