"""The rewards of the paper (Section 3), for G boxes a question.

There are two to choose from: the reward VLM's log-likelihood of the right answer (Eq. 2), and the accuracy of the
reward VLM's own answer. A format reward for a valid box is added to either. Where a completion has no valid box, its
format reward is 0, and the other reward is what `training.stages.Invalid` says.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.metrics.own_measure import measure_of, row_score
from cropvlm_trainer.training.stages import GrpoConfig, Invalid, Likelihood, Measure

LIKELIHOOD_FORMAT_REWARD, ACCURACY_FORMAT_REWARD = 1.0, 0.25
"""The format reward of a valid box, where it is added to the log-likelihood and where it is added to the accuracy."""

GroupedBoxes = Sequence[Sequence[Box | None]]
"""G boxes for each of B examples; None where a completion has no valid box."""


class LogLikelihood:
    """Examples and their boxes -> `log_likelihood` (natural, 0 or less) and `format`, f32 `[B, G]` each."""

    def __init__(
        self,
        policy: Policy,
        reward_model: RewardModel,
        likelihood: Likelihood = "sum",
        invalid: Invalid = "full",
    ) -> None:
        """`reward_model` has to be made of `policy.model`: the adapter is switched off while it computes."""
        self.policy, self.reward_model, self.likelihood, self.invalid = policy, reward_model, likelihood, invalid

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        with self.policy.reward_model():
            likelihoods = self.reward_model.log_likelihoods(examples, boxes, self.invalid == "2x2")
        if self.likelihood == "mean":
            tokens = [len(self.reward_model.answer_ids(example.answers)) for example in examples]
            likelihoods = likelihoods / torch.tensor(tokens, device=likelihoods.device)[:, None]
        return with_format("log_likelihood", likelihoods, boxes, LIKELIHOOD_FORMAT_REWARD, self.invalid)


class Accuracy:
    """Examples and their boxes -> `accuracy` (0..1) and `format`, f32 `[B, G]` each."""

    def __init__(
        self, policy: Policy, reward_model: RewardModel, measure: Measure = "own", invalid: Invalid = "full"
    ) -> None:
        """`reward_model` has to be made of `policy.model`: the adapter is switched off while it computes."""
        self.policy, self.reward_model, self.measure, self.invalid = policy, reward_model, measure, invalid

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        with self.policy.reward_model():
            grouped_answers = self.reward_model.answers(examples, boxes, corner=self.invalid == "2x2")
        scores = [
            [accuracy(answer, example, self.measure) for answer in answers]
            for example, answers in zip(examples, grouped_answers, strict=True)
        ]
        found = torch.tensor(scores, dtype=torch.float, device=self.reward_model.model.device)
        return with_format("accuracy", found, boxes, ACCURACY_FORMAT_REWARD, self.invalid)


REWARDS = {"log_likelihood": LogLikelihood, "accuracy": Accuracy}
"""The rewards by their names in a configuration (`reward`)."""


def make_reward(config: GrpoConfig, policy: Policy, encoder: PromptEncoder) -> LogLikelihood | Accuracy:
    """The reward that the configuration names."""
    reward_model = RewardModel(policy.model, encoder, config.reward_resolution, workers=config.workers)
    if config.reward == "accuracy":
        return Accuracy(policy, reward_model, config.measure, config.invalid_rule)
    return LogLikelihood(policy, reward_model, config.likelihood, config.invalid_rule)


def with_format(
    name: str, values: torch.Tensor, boxes: GroupedBoxes, weight: float, invalid: Invalid
) -> dict[str, torch.Tensor]:
    """The reward `name` with `values`, f32 `[B, G]`, and beside it `format`: `weight` for a valid box, 0 for none.

    With `invalid` "penalty", a completion without a valid box gets the least value of its group's valid boxes.
    """
    is_valid = valid_boxes(boxes).to(values.device)
    if invalid == "penalty":
        least = values.masked_fill(is_valid == 0, float("inf")).amin(dim=1, keepdim=True)
        # A group without any valid box has one value for all, and learns nothing.
        values = torch.where((is_valid == 0) & least.isfinite(), least, values)
    return {name: values, "format": weight * is_valid}


def valid_boxes(boxes: GroupedBoxes) -> torch.Tensor:
    """f32 `[B, G]`: 1 where there is a valid box, 0 elsewhere."""
    return torch.tensor([[float(box is not None) for box in group] for group in boxes])


def accuracy(answer: str, example: Example, measure: Measure = "own") -> float:
    """How right an answer is, 0..1, by a measure; "own" is that of the example's data set, as in evaluations."""
    row = {name: getattr(example, name) for name in ("question", "answers", "source", "options")}
    return row_score(row, answer, measure_of(row) if measure == "own" else measure)
