import math

import pytest
import torch

from cropvlm_trainer.grpo.loss import advantages, grpo_loss, kl_per_token

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
