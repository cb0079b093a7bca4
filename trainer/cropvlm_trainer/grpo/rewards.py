"""The two rewards of the paper, each with its format reward (Section 3; contract, "Training").

A completion without a valid box gets no format reward, and for the other the full image stands in for the crop.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.metrics.anls import anls
from cropvlm_trainer.metrics.vqa import vqa_accuracy

VALID_BESIDE_LIKELIHOOD, VALID_BESIDE_ACCURACY = 1.0, 0.25
"""What a valid box is worth beside either reward."""

Boxes = Sequence[Sequence[Box | None]]


class LogLikelihood:
    def __init__(self, policy: Policy, reward_model: RewardModel) -> None:
        self.policy, self.reward_model = policy, reward_model

    def __call__(self, examples: Sequence[Example], boxes: Boxes) -> dict[str, torch.Tensor]:
        with self.policy.reward_model():
            likelihoods = self.reward_model.log_likelihoods(examples, boxes)
        return {"log_likelihood": likelihoods, "format": VALID_BESIDE_LIKELIHOOD * valid(boxes).to(likelihoods.device)}


class Accuracy:
    def __init__(self, policy: Policy, reward_model: RewardModel) -> None:
        self.policy, self.reward_model = policy, reward_model

    def __call__(self, examples: Sequence[Example], boxes: Boxes) -> dict[str, torch.Tensor]:
        with self.policy.reward_model():
            answers = self.reward_model.answers(examples, boxes)
        scores = [[accuracy(answer, e) for answer in group] for e, group in zip(examples, answers, strict=True)]
        device = self.reward_model.model.device
        return {
            "accuracy": torch.tensor(scores, dtype=torch.float, device=device),
            "format": VALID_BESIDE_ACCURACY * valid(boxes).to(device),
        }


REWARDS = {"log_likelihood": LogLikelihood, "accuracy": Accuracy}


def valid(boxes: Boxes) -> torch.Tensor:
    """1 where there is a valid box, f32 `[B, G]`."""
    return torch.tensor([[float(box is not None) for box in group] for group in boxes])


def accuracy(answer: str, example: Example) -> float:
    """VQA accuracy for TextVQA, ANLS at 0.5 for all others, 0..1."""
    if example.source == "textvqa":
        return vqa_accuracy(answer, example.answers)
    return anls(answer, example.answers)
