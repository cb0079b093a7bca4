"""The rewards of the paper (Section 3), for G boxes a question.

There are two to choose from: the reward VLM's log-likelihood of the right answer (Eq. 2), and the accuracy of the
reward VLM's own answer. The reward VLM is the base, another Idefics3 (`reward_base`), another model (`endpoint.py`,
`checkpoint.py`), or any program that reads a crop (`reader.py`). A format reward for a valid box is added to either,
and where it is asked for, a cost of large boxes (`size.py`). Where a completion has no valid box, its format reward is
0, and the other reward is what `training.stages.Invalid` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

import torch

from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.reward.asked import Apart, Beginning, GroupedBoxes, begin, close
from cropvlm_trainer.grpo.reward.checkpoint import CheckpointLikelihood
from cropvlm_trainer.grpo.reward.endpoint import EndpointAnswers, make_target, open_cache
from cropvlm_trainer.grpo.reward.floor import Floored
from cropvlm_trainer.grpo.reward.reader import Readings
from cropvlm_trainer.grpo.reward.scorer import make_scorer
from cropvlm_trainer.grpo.reward.size import Sized, penalised, valid_boxes
from cropvlm_trainer.grpo.reward.texts import TextAccuracy
from cropvlm_trainer.idefics3.adapter import open_for_inference
from cropvlm_trainer.idefics3.prompts import PromptEncoder
from cropvlm_trainer.idefics3.reward_model import Example, RewardModel
from cropvlm_trainer.training.reward_config import CheckpointReward, EndpointReward
from cropvlm_trainer.training.stages import Floor, GrpoConfig, Invalid, Likelihood

LIKELIHOOD_FORMAT_REWARD, ACCURACY_FORMAT_REWARD = 1.0, 0.25
"""The format reward of a valid box, where it is added to the log-likelihood and where it is added to the accuracy."""


Answering = Callable[[], AbstractContextManager]
"""Makes the context in which a reward model answers: of the policy's own, the one that switches its adapter off."""


class LogLikelihood:
    """Examples and their boxes -> `log_likelihood` (natural, 0 or less) and `format`, f32 `[B, G]` each."""

    def __init__(
        self,
        answering: Answering,
        reward_model: RewardModel,
        likelihood: Likelihood = "sum",
        invalid: Invalid = "full",
        floor: Floor = None,
    ) -> None:
        """`answering`: within it `reward_model` is the reward VLM."""
        self.answering, self.reward_model, self.likelihood, self.invalid = answering, reward_model, likelihood, invalid
        self.floor, self.floored = floor, Floored(self._likelihoods, floor)

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        likelihoods = self.floored(examples, boxes)
        return with_format("log_likelihood", likelihoods, boxes, LIKELIHOOD_FORMAT_REWARD, self.invalid)

    def _likelihoods(self, examples: Sequence[Example], boxes: GroupedBoxes) -> torch.Tensor:
        with self.answering():
            likelihoods = self.reward_model.log_likelihoods(examples, boxes, self.invalid == "2x2")
        if self.likelihood == "mean":
            tokens = [len(self.reward_model.answer_ids(example.answers)) for example in examples]
            likelihoods = likelihoods / torch.tensor(tokens, device=likelihoods.device)[:, None]
        return likelihoods


class Accuracy:
    """Examples and their boxes -> `accuracy` (0..1) and `format`, f32 `[B, G]` each."""

    def __init__(
        self, answering: Answering, reward_model: RewardModel, measure: str = "own", invalid: Invalid = "full"
    ) -> None:
        """`answering`: within it `reward_model` is the reward VLM."""
        self.answering, self.reward_model, self.invalid = answering, reward_model, invalid
        self.score = make_scorer(measure)

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        with self.answering():
            grouped_answers = self.reward_model.answers(examples, boxes, corner=self.invalid == "2x2")
        scores = [
            [self.score(answer, example) for answer in answers]
            for example, answers in zip(examples, grouped_answers, strict=True)
        ]
        found = torch.tensor(scores, dtype=torch.float, device=self.reward_model.model.device)
        return with_format("accuracy", found, boxes, ACCURACY_FORMAT_REWARD, self.invalid)


class OtherModel:
    """A `Beginning`: the reward of what is not the base, on the policy's device, and `format`."""

    def __init__(
        self,
        values: Beginning[torch.Tensor] | Callable[[Sequence[Example], GroupedBoxes], torch.Tensor],
        name: str,
        policy: Policy,
        invalid: Invalid,
    ) -> None:
        """`values`: examples and their boxes -> f32 `[B, G]`; `name`: `accuracy` or `log_likelihood`."""
        self.values, self.name, self.policy, self.invalid = values, name, policy, invalid
        self.weight = ACCURACY_FORMAT_REWARD if name == "accuracy" else LIKELIHOOD_FORMAT_REWARD
        self.overlaps = getattr(values, "overlaps", False)

    @property
    def scalars(self) -> dict[str, torch.Tensor]:
        return getattr(self.values, "scalars", {})

    def begin(self, examples: Sequence[Example], boxes: GroupedBoxes) -> Callable[[], dict[str, torch.Tensor]]:
        values, device = begin(self.values, examples, boxes), self.policy.model.device
        return lambda: with_format(self.name, values().to(device), boxes, self.weight, self.invalid)

    def __call__(self, examples: Sequence[Example], boxes: GroupedBoxes) -> dict[str, torch.Tensor]:
        return self.begin(examples, boxes)()

    def close(self) -> None:
        close(self.values)


Reward = LogLikelihood | Accuracy | OtherModel | Sized

REWARDS = {"log_likelihood": LogLikelihood, "accuracy": Accuracy}
"""The rewards by their names in a configuration (`reward`)."""


def make_reward(config: GrpoConfig, policy: Policy, encoder: PromptEncoder, process: int = 0) -> Reward:
    """The reward that the configuration names. `process`: the number of this process of the run.

    Raises ValueError where what the reward needs is not there, and as `open_for_inference` for `reward_base`.
    """
    found = _make(config, policy, encoder, process)
    if config.size_weight:
        return Sized(found, config.size_weight, config.size_free or 0.0, config.invalid_rule)
    return found


def _make(config: GrpoConfig, policy: Policy, encoder: PromptEncoder, process: int) -> Reward:
    reward, invalid = config.reward, config.invalid_rule
    other = partial(OtherModel, name=config.reward_name, policy=policy, invalid=invalid)
    if isinstance(reward, CheckpointReward):
        device = policy.model.device if reward.device == "auto" else torch.device(reward.device)
        likelihood = CheckpointLikelihood(
            reward.path, device, config.reward_resolution, config.likelihood, corner=invalid == "2x2"
        )
        values = Floored(likelihood, config.likelihood_floor)
        # On one device with the policy neither would be done sooner.
        return other(values if device == policy.model.device else Apart(values))
    if not isinstance(reward, str):
        cache = open_cache(config.out, process)
        if isinstance(reward, EndpointReward):
            source = EndpointAnswers(make_target(reward, cache), reward.prompt)
        else:
            source = Readings(reward, cache)
        return other(TextAccuracy(source, make_scorer(config.text_measure), invalid == "2x2"))
    # The base as it is without its adapter, or another one, which has none.
    answering, model = policy.reward_model, policy.model
    if config.reward_base:
        model, processor, _, _ = open_for_inference(
            config.reward_base, config.reward_resolution, str(model.device), "reward_resolution"
        )
        answering, encoder = torch.no_grad, PromptEncoder(processor)
    reward_model = RewardModel(model, encoder, config.reward_resolution, workers=config.workers)
    if reward == "accuracy":
        return Accuracy(answering, reward_model, config.measure, invalid)
    return LogLikelihood(answering, reward_model, config.likelihood, invalid, config.likelihood_floor)


def with_format(
    name: str, values: torch.Tensor, boxes: GroupedBoxes, weight: float, invalid: Invalid
) -> dict[str, torch.Tensor]:
    """The reward `name` with `values`, f32 `[B, G]`, and beside it `format`: `weight` for a valid box, 0 for none.

    With `invalid` "penalty", a completion without a valid box gets the least value of its group's valid boxes.
    """
    is_valid = valid_boxes(boxes).to(values.device)
    if invalid == "penalty":
        values = penalised(values, is_valid)
    return {name: values, "format": weight * is_valid}
