"""One GRPO step on some questions: sample boxes, reward them, and the loss whose gradient improves the policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.contract import END_OF_UTTERANCE, cropper_prompt, parse_box
from cropvlm_trainer.grpo.loss import RecipeName, advantages, grpo_loss, kl
from cropvlm_trainer.grpo.policy import Policy
from cropvlm_trainer.idefics3.forward import encode_tiles
from cropvlm_trainer.idefics3.generation import Completions, log_probs, prefill, sample
from cropvlm_trainer.idefics3.prompts import PromptEncoder, prompt_grid
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.idefics3.tokenizer import SPECIAL_TOKENS
from cropvlm_trainer.metrics.exact_and_iou import area

Reward = Callable[[Sequence[Example], Sequence[Sequence[Box | None]]], dict[str, torch.Tensor]]
"""Examples and G boxes for each -> named rewards `[B, G]`, which are summed."""


@dataclass(frozen=True)
class Sampling:
    longest_edge: int
    """pixels, of what the policy sees"""
    group: int = 6
    temperature: float = 0.8
    max_new_tokens: int = 32
    beta: float = 0.01
    recipe: RecipeName = "paper"


@dataclass(frozen=True)
class Drawn:
    """What a step sampled, to be looked at."""

    boxes: list[list[Box | None]]
    """G boxes an example"""
    rewards: dict[str, torch.Tensor]
    """`[B, G]` by name"""


class Step:
    drawn: Drawn
    """of the last call; kept on the device, so that looking away costs nothing"""

    def __init__(self, policy: Policy, encoder: PromptEncoder, reward: Reward, sampling: Sampling) -> None:
        self.policy, self.encoder, self.reward, self.sampling = policy, encoder, reward, sampling
        tokenizer, config = encoder.tokenizer, policy.model.config
        self.tile = config.vision_config.image_size
        self.end, self.pad = tokenizer.convert_tokens_to_ids(END_OF_UTTERANCE), tokenizer.pad_token_id
        known = tokenizer.get_vocab()
        never = [known[token] for token in SPECIAL_TOKENS if token in known and token != END_OF_UTTERANCE]
        self.suppressed = torch.tensor(never, device=policy.model.device)

    def __call__(
        self, examples: Sequence[Example], generators: Sequence[torch.Generator]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss, with gradients, and scalars for the log; `generators`: one an example, for its draws."""
        how = self.sampling
        prompts, cut = self._prompts(examples)
        model = self.policy.model
        prefix = prefill(model, prompts, encode_tiles(model, cut), self.pad)
        made = sample(
            model,
            prefix.repeated(how.group, detach=True),
            end=self.end,
            pad=self.pad,
            max_new_tokens=how.max_new_tokens,
            temperature=how.temperature,
            suppressed=self.suppressed,
            generators=generators,
        )
        boxes = self.boxes(made, len(examples))
        rewards = self.reward(examples, boxes)
        self.drawn = Drawn(boxes, rewards)
        total = sum(rewards.values())
        advantage = advantages(total, how.recipe)
        with self.policy.reference() as reference:
            theirs = prefill(reference, prompts, encode_tiles(reference, cut), self.pad)
            theirs = log_probs(reference, theirs.repeated(how.group), made, how.temperature)
        ours = log_probs(model, prefix.repeated(how.group), made, how.temperature)
        loss = grpo_loss(
            ours,
            theirs,
            made.mask,
            advantage.flatten(),
            beta=how.beta,
            recipe=how.recipe,
            max_new_tokens=how.max_new_tokens,
        )
        scalars = {
            "kl": kl(ours.detach(), theirs)[made.mask].mean(),
            "tokens": made.mask.sum(dim=1).float().mean(),
            "ended": made.ended.float().mean(),
        }
        return loss, scalars | reward_scalars(rewards) | box_scalars(boxes)

    def boxes(self, made: Completions, count: int) -> list[list[Box | None]]:
        """G boxes an example; None where a completion is no valid one, or did not end."""
        texts = self.encoder.tokenizer.batch_decode(made.ids, skip_special_tokens=True)
        found = [parse_box(text) if ended else None for text, ended in zip(texts, made.ended.tolist(), strict=True)]
        group = len(found) // count
        return [found[i : i + group] for i in range(0, len(found), group)]

    def _prompts(self, examples: Sequence[Example]) -> tuple[list[list[int]], torch.Tensor]:
        """Ids of each prompt, and the tiles of all `[n, S, S, 3]`, each image once."""
        edge = self.sampling.longest_edge
        prompts = [self.encoder(cropper_prompt(e.question), [prompt_grid(e.image, edge, self.tile)]) for e in examples]
        cut = torch.cat([example.tiles(edge, self.tile) for example in examples])
        return prompts, cut.to(self.policy.model.device)


def reward_scalars(rewards: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Of their sum, and of each by `.../NAME`: mean, spread in a group, and the share of groups without any.

    A group whose sum has no spread teaches nothing; the parts tell which reward has stopped to tell boxes apart.
    """
    scalars = {}
    for end, values in {"": sum(rewards.values()), **{f"/{name}": part for name, part in rewards.items()}}.items():
        spread = values.std(dim=1)
        scalars |= {f"reward{end}": values.mean(), f"spread{end}": spread.mean()}
        scalars[f"groups_without_spread{end}"] = (spread < 1e-6).float().mean()
    return scalars


def box_scalars(boxes: Sequence[Sequence[Box | None]]) -> dict[str, torch.Tensor]:
    """Share of valid boxes, and the mean share of the page that these cover."""
    every = [box for group in boxes for box in group]
    areas = [area(box) / 10_000 for box in every if box is not None]
    scalars = {"valid": torch.tensor(len(areas) / len(every))}
    if areas:
        scalars["area"] = torch.tensor(sum(areas) / len(areas))
    return scalars
