"""What the reward VLM need not do twice: equal boxes, and tiles that the policy has cut already."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoProcessor

from cropvlm_trainer.boxes import WHOLE
from cropvlm_trainer.data.synth.test_patterns import pattern_image
from cropvlm_trainer.golden.fixtures.models import TINY, TRAINING, tiny_model, tiny_tokenizer
from cropvlm_trainer.idefics3 import reward_model as module
from cropvlm_trainer.idefics3.checkpoint import save_checkpoint
from cropvlm_trainer.idefics3.image_processing import tiles
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel, batches_by_tokens, most_common

EXAMPLES = [
    Example(pattern_image("strokes", 90, 70), "What is the total?", ["7"]),
    Example(pattern_image("hash", 64, 64), "Where is it?", ["here", "there", "here"]),
]
A, B = (0, 0, 50, 50), (20, 20, 90, 90)
BOXES = [[A, A, B, None], [WHOLE, A, None, A]]
DIFFERENT = [(0, A), (0, B), (0, WHOLE), (1, WHOLE), (1, A)]


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory) -> RewardModel:
    folder = tmp_path_factory.mktemp("tiny")
    save_checkpoint(tiny_model(2), TINY, tiny_tokenizer(), folder, TRAINING)
    return RewardModel(tiny_model(2), PromptEncoder(AutoProcessor.from_pretrained(folder)), 64)


@pytest.fixture
def prompts(monkeypatch) -> list[int]:
    """How many prompts each prefill had."""
    counts, prefill = [], module.prefill

    def counted(model, prompts, features, pad):
        counts.append(len(prompts))
        return prefill(model, prompts, features, pad)

    monkeypatch.setattr(module, "prefill", counted)
    return counts


def test_equal_boxes_are_scored_once_and_alike(reward_model, prompts):
    found = reward_model.log_likelihoods(EXAMPLES, BOXES)
    assert prompts == [len(DIFFERENT)]
    single = {(row, box): reward_model.log_likelihoods([EXAMPLES[row]], [[box]]).item() for row, box in set(DIFFERENT)}
    expected = [[single[row, box or WHOLE] for box in group] for row, group in enumerate(BOXES)]
    torch.testing.assert_close(found, torch.tensor(expected), atol=1e-5, rtol=1e-5)
    assert len({round(value, 4) for value in single.values()}) == len(DIFFERENT), "different boxes differ"
    assert found[0, 0] == found[0, 1] and found[1, 0] == found[1, 2], "to the last bit: no spread where there is none"


def test_equal_boxes_are_answered_once(reward_model, prompts):
    found = reward_model.answers(EXAMPLES, BOXES, max_new_tokens=6)
    assert prompts == [len(DIFFERENT)]
    for row, group in enumerate(BOXES):
        assert found[row] == [reward_model.answers([EXAMPLES[row]], [[box]], 6)[0][0] for box in group]


def test_batches_of_pairs_do_not_change_scores(reward_model, prompts):
    small = RewardModel(reward_model.model, reward_model.encoder, 64, batch_size=2)
    found = small.log_likelihoods(EXAMPLES, BOXES)
    assert prompts == [2, 2, 1]
    torch.testing.assert_close(found, reward_model.log_likelihoods(EXAMPLES, BOXES), atol=1e-5, rtol=1e-5)


def test_an_example_is_cut_once_a_resolution():
    example = Example(EXAMPLES[0].image, "What?", ["7"])
    first = example.tiles(128, 64)
    assert example.tiles(128, 64) is first
    assert torch.equal(first, torch.tensor(tiles(example.image, 128, 64)))
    assert len(example.tiles(64, 64)) == 1 and len(first) == 5
    assert example == Example(EXAMPLES[0].image, "What?", ["7"]), "what is kept is no part of the example"


def test_the_most_common_answer_is_the_wanted_one():
    assert most_common([" Dakota", "dakota ", "nokia", "DAKOTA", "nokia"]) == "dakota"
    assert most_common(["b", "a"]) == "b"


@pytest.mark.parametrize(
    "nothing", [[""] * 9, ["unanswerable", " Unanswerable"], [" ", "", "unanswerable", "UNANSWERABLE"]]
)
def test_blank_and_unanswerable_votes_are_never_wanted(nothing):
    assert most_common([*nothing, "Stop"]) == "stop"
    with pytest.raises(ValueError, match="every answer is blank or unanswerable"):
        most_common(nothing)


def test_batches_by_tokens(monkeypatch):
    monkeypatch.setattr(module, "MAX_SCORED_TOKENS", 100)
    assert list(batches_by_tokens([], 4)) == []
    assert list(batches_by_tokens([1] * 9, 4)) == [(0, 4), (4, 8), (8, 9)]
    assert list(batches_by_tokens([20, 25, 25, 25, 26], 9)) == [(0, 4), (4, 5)], "5 of 26 are above 100"
    assert list(batches_by_tokens([1, 300, 1, 1], 9)) == [(0, 1), (1, 2), (2, 4)]
    assert list(batches_by_tokens([20, 25, 25], 9, 50)) == [(0, 2), (2, 3)]


def test_a_long_answer_is_scored_apart(reward_model, monkeypatch):
    examples = [*EXAMPLES, Example(EXAMPLES[1].image, "What is written?", ["a b c " * 30])]
    boxes = [*BOXES, [A, B, None, A]]
    scored, log_probs = [], module.log_probs

    def measured(model, prefix, completions):
        scored.append(completions.ids.numel())
        return log_probs(model, prefix, completions)

    monkeypatch.setattr(module, "log_probs", measured)
    whole = reward_model.log_likelihoods(examples, boxes)
    longest = len(reward_model.answer_ids(examples[2].answers))
    assert scored == [8 * longest], "all pairs, padded to the longest"
    monkeypatch.setattr(module, "MAX_SCORED_TOKENS", 2 * longest)
    torch.testing.assert_close(reward_model.log_likelihoods(examples, boxes), whole, atol=1e-4, rtol=1e-4)
    assert len(scored) > 2 and max(scored[1:]) <= 2 * longest
