"""The rewards of the paper (Section 3), for G boxes a question.

There are two to choose from: the reward VLM's log-likelihood of the right answer (Eq. 2), and the accuracy of the
reward VLM's own answer. The reward VLM is the base, or another model (`endpoint.py`, `checkpoint.py`). A format reward
for a valid box is added to either. Where a completion has no valid box, its format reward is 0, and the other reward is
what `training.stages.Invalid` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from cropvlm_trainer.boxes import WHOLE, Box
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.reward.checkpoint import CheckpointLikelihood
from cropvlm_trainer.grpo.reward.endpoint import EndpointAccuracy, make_target
from cropvlm_trainer.grpo.reward.scorer import make_scorer
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.training.reward_config import CheckpointReward, EndpointReward
from cropvlm_trainer.training.stages import Floor, GrpoConfig, Invalid, Likelihood

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
        floor: Floor = None,
    ) -> None:
        """`reward_model` has to be made of `policy.model`: the adapter is switched off while it computes."""
        self.policy, self.reward_model, self.likelihood, self.invalid = policy, reward_model, likelihood, invalid
        self.floor = floor

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        likelihoods = floored(self._likelihoods, examples, boxes, self.floor)
        return with_format("log_likelihood", likelihoods, boxes, LIKELIHOOD_FORMAT_REWARD, self.invalid)

    def _likelihoods(self, examples: Sequence[Example], boxes: GroupedBoxes) -> torch.Tensor:
        with self.policy.reward_model():
            likelihoods = self.reward_model.log_likelihoods(examples, boxes, self.invalid == "2x2")
        if self.likelihood == "mean":
            tokens = [len(self.reward_model.answer_ids(example.answers)) for example in examples]
            likelihoods = likelihoods / torch.tensor(tokens, device=likelihoods.device)[:, None]
        return likelihoods


class Accuracy:
    """Examples and their boxes -> `accuracy` (0..1) and `format`, f32 `[B, G]` each."""

    def __init__(
        self, policy: Policy, reward_model: RewardModel, measure: str = "own", invalid: Invalid = "full"
    ) -> None:
        """`reward_model` has to be made of `policy.model`: the adapter is switched off while it computes."""
        self.policy, self.reward_model, self.invalid = policy, reward_model, invalid
        self.score = make_scorer(measure)

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        with self.policy.reward_model():
            grouped_answers = self.reward_model.answers(examples, boxes, corner=self.invalid == "2x2")
        scores = [
            [self.score(answer, example) for answer in answers]
            for example, answers in zip(examples, grouped_answers, strict=True)
        ]
        found = torch.tensor(scores, dtype=torch.float, device=self.reward_model.model.device)
        return with_format("accuracy", found, boxes, ACCURACY_FORMAT_REWARD, self.invalid)


class OtherModel:
    """The reward of a model that is not the base, on the policy's device, and `format`."""

    def __init__(
        self,
        values: Callable[[Sequence[Example], GroupedBoxes], torch.Tensor],
        name: str,
        policy: Policy,
        invalid: Invalid,
        floor: Floor = None,
    ) -> None:
        """`values`: examples and their boxes -> f32 `[B, G]`; `name`: `accuracy` or `log_likelihood`."""
        self.values, self.name, self.policy, self.invalid, self.floor = values, name, policy, invalid, floor
        self.weight = ACCURACY_FORMAT_REWARD if name == "accuracy" else LIKELIHOOD_FORMAT_REWARD

    @property
    def scalars(self) -> dict[str, torch.Tensor]:
        """Of the last call, for the log."""
        return getattr(self.values, "scalars", {})

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        found = floored(self.values, examples, boxes, self.floor).to(self.policy.model.device)
        return with_format(self.name, found, boxes, self.weight, self.invalid)


REWARDS = {"log_likelihood": LogLikelihood, "accuracy": Accuracy}
"""The rewards by their names in a configuration (`reward`)."""


def make_reward(
    config: GrpoConfig, policy: Policy, encoder: PromptEncoder, process: int = 0
) -> LogLikelihood | Accuracy | OtherModel:
    """The reward that the configuration names. `process`: the number of this process of the run."""
    reward, invalid = config.reward, config.invalid_rule
    if isinstance(reward, EndpointReward):
        target = make_target(reward, config.out, process)
        values = EndpointAccuracy(target, make_scorer(config.measure), reward.prompt, invalid == "2x2")
        return OtherModel(values, config.reward_name, policy, invalid)
    if isinstance(reward, CheckpointReward):
        device = policy.model.device if reward.device == "auto" else torch.device(reward.device)
        how = (config.reward_resolution, config.likelihood, invalid == "2x2")
        values = CheckpointLikelihood(reward.path, device, *how)
        return OtherModel(values, config.reward_name, policy, invalid, config.likelihood_floor)
    reward_model = RewardModel(policy.model, encoder, config.reward_resolution, workers=config.workers)
    if reward == "accuracy":
        return Accuracy(policy, reward_model, config.measure, invalid)
    return LogLikelihood(policy, reward_model, config.likelihood, invalid, config.likelihood_floor)


def floored(
    values: Callable[[Sequence[Example], GroupedBoxes], torch.Tensor],
    examples: Sequence[Example],
    boxes: GroupedBoxes,
    floor: Floor,
) -> torch.Tensor:
    """The `values` of the boxes, f32 `[B, G]`, each at least `floor` or, with "full", at least that of the full image.

    The difference to the full image's value would teach the same: advantages leave out what a group has in common.
    """
    if floor == "full":
        found = values(examples, [[*group, WHOLE] for group in boxes])
        return torch.maximum(found[:, :-1], found[:, -1:])
    found = values(examples, boxes)
    return found if floor is None else found.clamp(min=floor)


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
