"""What large boxes cost."""

from __future__ import annotations

import pytest
import torch
from support.reward_examples import EXAMPLES

from cropvlm_trainer.grpo.reward.asked import Apart
from cropvlm_trainer.grpo.reward.rewards import OtherModel, make_reward
from cropvlm_trainer.grpo.reward.size import Sized, size_costs
from cropvlm_trainer.training.stages import GrpoConfig

BOXES = [[(0, 0, 100, 100), (0, 0, 50, 20), (0, 0, 10, 10), None], [None, None, None, None]]


@pytest.mark.parametrize(
    ("invalid", "costs"),
    [
        ("full", [[0.5, 0.025, 0, 0.5], [0.5] * 4]),
        ("penalty", [[0.5, 0.025, 0, 0.5], [0.5] * 4]),
        ("2x2", [[0.5, 0.025, 0, 0], [0] * 4]),
    ],
)
def test_nothing_up_to_what_is_free_and_the_weight_for_the_page(invalid, costs):
    torch.testing.assert_close(size_costs(BOXES, 0.5, 1 / 19, invalid), torch.tensor(costs))


def test_with_a_penalty_no_box_is_as_the_largest_of_its_group():
    boxes = [[(0, 0, 20, 20), None, (0, 0, 10, 10)]]
    assert size_costs(boxes, 1.0, 0.0, "penalty")[0].tolist() == pytest.approx([0.04, 0.04, 0.01])


def test_it_stands_beside_the_other_rewards(encoder, policy, tmp_path):
    config = GrpoConfig(tmp_path, tmp_path, tmp_path, reward_resolution=64, size_weight=0.5, size_free=0.05)
    found = make_reward(config, policy, encoder)(EXAMPLES, BOXES)
    bare = make_reward(GrpoConfig(tmp_path, tmp_path, tmp_path, reward_resolution=64), policy, encoder)
    expected = bare(EXAMPLES, BOXES)
    assert set(found) == {"log_likelihood", "format", "size"} and found["size"][0, 0] == -0.5
    torch.testing.assert_close(found["log_likelihood"], expected["log_likelihood"])
    other = OtherModel(Apart(lambda *_: torch.ones(2, 4)), "accuracy", policy, "full")
    sized = Sized(other, 1.0, 0.0, "full")
    waiting = sized.begin(EXAMPLES, BOXES)
    assert sized.overlaps and waiting()["size"][0].tolist() == pytest.approx([-1, -0.1, -0.01, -1])
    sized.close()
