from __future__ import annotations

import pytest
import torch
from transformers import AutoProcessor

from cropvlm_trainer.data.seed import search as search_module
from cropvlm_trainer.data.seed.search import GridSearch, cut_views, rectangles
from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.golden.fixtures.models import TINY, tiny_model
from cropvlm_trainer.idefics3 import reward_model as reward_module
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel


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


def test_a_long_answer_is_scored_in_parts(folder, monkeypatch):
    reward = RewardModel(tiny_model(2), PromptEncoder(AutoProcessor.from_pretrained(folder / "base")), TINY.tile)
    boxes = [(0, 0, 20, 100), (40, 20, 60, 40), (0, 0, 100, 20), (0, 0, 100, 100)]
    views = cut_views(pattern_image("strokes", 90, 70), boxes, TINY.tile, TINY.tile)
    questions = [("What is the total?", ["a b c " * 40])]
    whole = GridSearch(reward)(views, questions)
    scored, log_probs = [], search_module.log_probs

    def measured(model, prefix, completions):
        scored.append(completions.ids.shape)
        return log_probs(model, prefix, completions)

    monkeypatch.setattr(search_module, "log_probs", measured)
    monkeypatch.setattr(reward_module, "MAX_SCORED_TOKENS", 1000)
    torch.testing.assert_close(GridSearch(reward)(views, questions), whole, atol=1e-3, rtol=1e-5)
    assert sum(rows for rows, _ in scored) == 4 and all(rows * tokens <= 1000 for rows, tokens in scored)
