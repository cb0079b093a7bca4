"""One GRPO step on some questions: draw G boxes for each, reward them, and compute the loss.

A step has two halves, so that another model's rewards are computed while the policy does what needs none: `draw` draws
the boxes, begins to ask what they are worth, and scores what was drawn; `finish` waits for the rewards.

In the shapes: B questions, G completions of each, N = B * G completions, T tokens of the longest completion, S x S
pixels of a tile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import cropper_prompt
from cropvlm_trainer.grpo.loss import advantages, clipped_share, grpo_loss, kl_per_token, scoring_temperature
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.grpo.reward.asked import begin, close
from cropvlm_trainer.grpo.rollout import Drawn, Rollout, StepOutcome
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import Completions, Prefix, decode_boxes, log_probs, prefill, replaced, sample
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.metrics.exact_and_iou import area
from cropvlm_trainer.training.stages import GrpoConfig, RecipeName

Reward = Callable[[Sequence[Example], Sequence[Sequence[Box | None]]], dict[str, torch.Tensor]]
"""B examples and G boxes for each -> rewards f32 `[B, G]` by name. Their sum is what the policy learns from.

A reward of another model is a `Beginning` too.
"""


@dataclass(frozen=True)
class StepSettings:
    """What a step needs of the configuration, with its defaults."""

    longest_edge: int
    """of the image that the policy sees, pixels"""
    group: int = GrpoConfig.group
    """G: completions drawn for each question"""
    temperature: float = GrpoConfig.temperature
    max_new_tokens: int = GrpoConfig.max_new_tokens
    """a completion's tokens at most, the end token included"""
    beta: float = GrpoConfig.beta
    """weight of the KL divergence from the reference"""
    recipe: RecipeName = GrpoConfig.recipe
    mu: int = GrpoConfig.mu
    """updates with what a call draws; above 1, `Step.drawn` has it"""
    redraws: int = GrpoConfig.redraws
    """times that a group without spread is drawn anew"""
    epsilon: float = GrpoConfig.epsilon
    epsilon_high: float | None = GrpoConfig.epsilon_high


class Step:
    """Computes the loss of a micro-batch of examples when it is called: `finish` of what `draw` drew."""

    drawn: list[Drawn]
    """What the calls drew since the list was last cleared; empty where the settings' `mu` is 1."""
    outcome: StepOutcome
    """What the last call drew.

    The rewards stay on the model's device: to copy them from a GPU is to wait for it, and few steps draw pictures.
    """

    def __init__(self, policy: Policy, encoder: PromptEncoder, reward: Reward, settings: StepSettings) -> None:
        self.policy, self.encoder, self.reward, self.settings = policy, encoder, reward, settings
        self.temperature = scoring_temperature(settings.recipe, settings.temperature)
        self.drawn = []
        self.tile = policy.model.config.vision_config.image_size
        self.suppressed = torch.tensor(encoder.undrawn, device=policy.model.device)

    def __call__(
        self, examples: Sequence[Example], generators: Sequence[torch.Generator]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Returns the loss, a scalar with gradients, and the scalars for the log by name.

        `generators`: one for each example; its G completions are drawn with it.
        """
        return self.finish(self.draw(examples, generators))

    def draw(self, examples: Sequence[Example], generators: Sequence[torch.Generator]) -> Rollout:
        """The first half of a call: all of it that needs no reward. `generators`: as there.

        All random numbers of a call are drawn here, so that it does not matter when `finish` is called.
        """
        settings, model, pad = self.settings, self.policy.model, self.encoder.pad
        prompts, tiles = self.prompts_and_tiles(examples)

        # Draw G completions of each prompt. Tiles and prompt are computed once: the policy's log-probabilities below
        # start from this same prefix, with the same dropout in it.
        prefix = prefill(model, prompts, encode_tiles(model, tiles), pad)
        completions = self._sample(prefix, generators)

        # Begin to ask what the boxes in them are worth. What teaches nothing is drawn anew, once that is known.
        boxes = self.parse_boxes(completions, len(examples))
        rewards, redrawn = begin(self.reward, examples, boxes), 0
        if settings.redraws:
            known = rewards()
            completions, redrawn = self._draw_anew(prefix, examples, generators, completions, boxes, known)
            rewards = partial(dict, known)

        # Score the same tokens by the reference and by the policy, f32 [N, T] each.
        reference_log_probs = self._reference_log_probs(prompts, tiles, completions)
        policy_log_probs = log_probs(model, prefix.repeated(settings.group), completions, self.temperature)
        return Rollout(prompts, tiles, completions, boxes, rewards, policy_log_probs, reference_log_probs, redrawn)

    def finish(self, rollout: Rollout) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The second half of a call. Raises what the reward raises."""
        settings, completions, reference_log_probs = self.settings, rollout.completions, rollout.reference_log_probs
        rewards = rollout.rewards()
        self.outcome = StepOutcome(rollout.boxes, rewards)
        advantage = advantages(sum(rewards.values()), settings.recipe).flatten()
        old = rollout.log_probs.detach()
        if settings.mu > 1:
            self.drawn.append(Drawn(rollout.prompts, rollout.tiles, completions, advantage, old, reference_log_probs))

        loss = self._loss(rollout.log_probs, reference_log_probs, completions, advantage, None)
        scalars = {
            "tokens": completions.mask.sum(dim=1).float().mean(),
            "ended": completions.ended.float().mean(),
        }
        if settings.redraws:
            scalars["redrawn"] = torch.tensor(rollout.redrawn / len(rollout.boxes))
        if reference_log_probs is not None:
            scalars["kl"] = kl_per_token(old, reference_log_probs)[completions.mask].mean()
        more = box_scalars(rollout.boxes) | getattr(self.reward, "scalars", {})
        return loss, scalars | reward_scalars(rewards) | more

    @property
    def overlaps(self) -> bool:
        """Whether rewards are computed while the policy draws more boxes: not where `redraws` depend on them."""
        return getattr(self.reward, "overlaps", False) and not self.settings.redraws

    def close(self) -> None:
        """Breaks off what is being computed for rewards, and ends its threads and processes."""
        close(self.reward)

    def _sample(self, prefix: Prefix, generators: Sequence[torch.Generator]) -> Completions:
        """G completions of each of the prefix's prompts, each prompt's with its generator."""
        settings = self.settings
        return sample(
            self.policy.model,
            prefix.repeated(settings.group, detach=True),
            end=self.encoder.end,
            pad=self.encoder.pad,
            max_new_tokens=settings.max_new_tokens,
            temperature=settings.temperature,
            suppressed=self.suppressed,
            generators=generators,
        )

    def _draw_anew(
        self,
        prefix: Prefix,
        examples: Sequence[Example],
        generators: Sequence[torch.Generator],
        completions: Completions,
        boxes: list[list[Box | None]],
        rewards: dict[str, torch.Tensor],
    ) -> tuple[Completions, int]:
        """Draws the groups without spread anew, up to `redraws` times; alters `boxes` and `rewards` in place.

        Returns the completions, and how many groups were drawn in all.
        """
        group, count = self.settings.group, 0
        for _ in range(self.settings.redraws):
            alike = without_spread(sum(rewards.values())).nonzero().flatten().tolist()
            if not alike:
                break
            count += len(alike)
            others = self._sample(prefix.rows(alike), [generators[number] for number in alike])
            rows = [number * group + place for number in alike for place in range(group)]
            completions = replaced(completions, others, rows, self.encoder.pad)
            their_boxes = self.parse_boxes(others, len(alike))
            for name, values in begin(self.reward, [examples[number] for number in alike], their_boxes)().items():
                rewards[name][alike] = values
            for number, some in zip(alike, their_boxes, strict=True):
                boxes[number] = some
        return completions, count

    def again(self, drawn: Drawn) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Like a call, but with what an earlier call drew; the policy may have been updated since.

        The scalars are `clipped`, the share of the tokens that clipping leaves without a gradient.
        """
        settings, model = self.settings, self.policy.model
        prefix = prefill(model, drawn.prompts, encode_tiles(model, drawn.tiles), self.encoder.pad)
        found = log_probs(model, prefix.repeated(settings.group), drawn.completions, self.temperature)
        loss = self._loss(found, drawn.reference_log_probs, drawn.completions, drawn.advantage, drawn.old_log_probs)
        clip = (settings.epsilon, settings.epsilon_high)
        share = clipped_share(found, drawn.old_log_probs, drawn.completions.mask, drawn.advantage, *clip)
        return loss, {"clipped": share}

    def _loss(
        self,
        found: torch.Tensor,
        reference: torch.Tensor | None,
        completions: Completions,
        advantage: torch.Tensor,
        old: torch.Tensor | None,
    ) -> torch.Tensor:
        settings = self.settings
        return grpo_loss(
            found,
            reference,
            completions.mask,
            advantage,
            beta=settings.beta,
            recipe=settings.recipe,
            max_new_tokens=settings.max_new_tokens,
            old_log_probs=old,
            epsilon=settings.epsilon,
            epsilon_high=settings.epsilon_high,
        )

    def _reference_log_probs(
        self, prompts: list[list[int]], tiles: torch.Tensor, completions: Completions
    ) -> torch.Tensor | None:
        """f32 `[N, T]`; None where the KL divergence has no weight."""
        if not self.settings.beta:
            return None
        with self.policy.reference_model() as reference:
            prefix = prefill(reference, prompts, encode_tiles(reference, tiles), self.encoder.pad)
            return log_probs(reference, prefix.repeated(self.settings.group), completions, self.temperature)

    def parse_boxes(self, completions: Completions, count: int) -> list[list[Box | None]]:
        """G boxes for each of `count` examples; None where a completion is no valid box or did not end."""
        boxes = [box for _text, box in decode_boxes(self.encoder.tokenizer, completions)]
        group = len(boxes) // count
        return [boxes[start : start + group] for start in range(0, len(boxes), group)]

    def prompts_and_tiles(self, examples: Sequence[Example]) -> tuple[list[list[int]], torch.Tensor]:
        """Each example's prompt as token ids, and the tiles of all examples in order, uint8 `[tiles, S, S, 3]`."""
        edge = self.settings.longest_edge
        prompts = [
            self.encoder(cropper_prompt(example.question), [prompt_grid(example.image, edge, self.tile)])
            for example in examples
        ]
        tiles = torch.cat([example.tiles(edge, self.tile) for example in examples])
        return prompts, tiles.to(self.policy.model.device)


def reward_scalars(rewards: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """For the log, from rewards `[B, G]` by name: three scalars of their sum, and the same of each as `SCALAR/NAME`.

    - `reward`: the mean;
    - `spread`: the mean over groups of the standard deviation within a group;
    - `groups_without_spread`: the share of groups in which all boxes have the same reward. From a group whose sums are
      all equal the policy learns nothing; `groups_without_spread/NAME` tells which reward does not distinguish boxes.
    """
    scalars = {}
    named = {"": sum(rewards.values()), **{f"/{name}": values for name, values in rewards.items()}}
    for suffix, values in named.items():
        spread = values.std(dim=1)
        scalars |= {f"reward{suffix}": values.mean(), f"spread{suffix}": spread.mean()}
        scalars[f"groups_without_spread{suffix}"] = without_spread(values).float().mean()
    return scalars


def without_spread(values: torch.Tensor) -> torch.Tensor:
    """Which groups of rewards `[B, G]` are all equal, bool `[B]`."""
    return values.std(dim=1) < 1e-6


def box_scalars(boxes: Sequence[Sequence[Box | None]]) -> dict[str, torch.Tensor]:
    """For the log: `valid`, the share of completions with a valid box, and `area`, the mean share of the page in those.

    Without a valid box there is no `area`.
    """
    all_boxes = [box for group in boxes for box in group]
    # Boxes are in per cent of the page, so the whole page has an area of 100 * 100.
    areas = [area(box) / 10_000 for box in all_boxes if box is not None]
    scalars = {"valid": torch.tensor(len(areas) / len(all_boxes))}
    if areas:
        scalars["area"] = torch.tensor(sum(areas) / len(areas))
    return scalars
