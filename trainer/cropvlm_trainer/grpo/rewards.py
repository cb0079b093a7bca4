"""The rewards of the paper (Section 3), for G boxes a question.

There are two to choose from: the reward VLM's log-likelihood of the right answer (Eq. 2), and the accuracy of the
reward VLM's own answer. A format reward for a valid box is added to either. Where a completion has no valid box, its
format reward is 0 and the reward VLM gets the full image instead of a crop.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.metrics.anls import anls
from cropvlm_trainer.metrics.vqa import vqa_accuracy

LIKELIHOOD_FORMAT_REWARD, ACCURACY_FORMAT_REWARD = 1.0, 0.25
"""The format reward of a valid box, where it is added to the log-likelihood and where it is added to the accuracy."""

GroupedBoxes = Sequence[Sequence[Box | None]]
"""G boxes for each of B examples; None where a completion has no valid box."""


class LogLikelihood:
    """Examples and their boxes -> `log_likelihood` (natural, 0 or less) and `format`, f32 `[B, G]` each."""

    def __init__(self, policy: Policy, reward_model: RewardModel) -> None:
        """`reward_model` has to be made of `policy.model`: the adapter is switched off while it computes."""
        self.policy, self.reward_model = policy, reward_model

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        with self.policy.reward_model():
            likelihoods = self.reward_model.log_likelihoods(examples, boxes)
        is_valid = valid_boxes(boxes).to(likelihoods.device)
        return {"log_likelihood": likelihoods, "format": LIKELIHOOD_FORMAT_REWARD * is_valid}


class Accuracy:
    """Examples and their boxes -> `accuracy` (0..1) and `format`, f32 `[B, G]` each."""

    def __init__(self, policy: Policy, reward_model: RewardModel) -> None:
        """`reward_model` has to be made of `policy.model`: the adapter is switched off while it computes."""
        self.policy, self.reward_model = policy, reward_model

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        with self.policy.reward_model():
            grouped_answers = self.reward_model.answers(examples, boxes)
        scores = [
            [accuracy(answer, example) for answer in answers]
            for example, answers in zip(examples, grouped_answers, strict=True)
        ]
        device = self.reward_model.model.device
        return {
            "accuracy": torch.tensor(scores, dtype=torch.float, device=device),
            "format": ACCURACY_FORMAT_REWARD * valid_boxes(boxes).to(device),
        }


REWARDS = {"log_likelihood": LogLikelihood, "accuracy": Accuracy}
"""The rewards by their names in a configuration (`reward`)."""


def valid_boxes(boxes: GroupedBoxes) -> torch.Tensor:
    """f32 `[B, G]`: 1 where there is a valid box, 0 elsewhere."""
    return torch.tensor([[float(box is not None) for box in group] for group in boxes])


def accuracy(answer: str, example: Example) -> float:
    """How right an answer is, 0..1: VQA accuracy for TextVQA, ANLS with a threshold of 0.5 for all other sets."""
    if example.source == "textvqa":
        return vqa_accuracy(answer, example.answers)
    return anls(answer, example.answers)
