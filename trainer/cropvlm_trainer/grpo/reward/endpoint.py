"""The accuracy reward of any model behind an OpenAI-compatible endpoint: for a cropper of the model that one runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from PIL import Image

from cropvlm_trainer.boxes import WHOLE, Box
from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.chat.client import EndpointTarget
from cropvlm_trainer.chat.endpoint import Endpoint, key_from
from cropvlm_trainer.chat.messages import Prompt
from cropvlm_trainer.contract import target_prompt
from cropvlm_trainer.grpo.reward.scorer import Scorer
from cropvlm_trainer.idefics3.reward_model import CORNER, Example, cropped, unique_pairs
from cropvlm_trainer.training.reward_config import EndpointReward

CACHE = "reward.answers.jsonl"


def make_target(reward: EndpointReward, out: Path, process: int) -> EndpointTarget:
    """The endpoint, whose answers are kept in `out`, so that a run that goes on does not ask for them again.

    `process`: the number of this process; each has a file of its own.
    Raises ValueError for a URL that is none, and for a key that is not in the environment.
    """
    endpoint = Endpoint(
        reward.url,
        reward.model,
        key_from(reward.key_env),
        longest_edge=reward.longest_edge,
        max_tokens=reward.max_tokens,
        concurrency=reward.concurrency,
        timeout=reward.timeout,
        flags="reward.",
    )
    return EndpointTarget(endpoint, AnswerCache(out / (f"{process}.{CACHE}" if process else CACHE)))


class EndpointAccuracy:
    """Examples and their boxes -> accuracies 0..1, f32 `[B, G]`."""

    def __init__(self, target: EndpointTarget, score: Scorer, prompt: str | None, corner: bool) -> None:
        """`prompt`: as `EndpointReward` has it; `corner`: as `RewardModel.answers` has it."""
        self.target, self.score, self.prompt, self.corner = target, score, prompt, corner
        self.scalars: dict[str, torch.Tensor] = {}
        """of the last call, for the log: `failed`, the share of the boxes without an answer"""

    def __call__(self, examples: Sequence[Example], boxes: Sequence[Sequence[Box | None]]) -> torch.Tensor:
        """Where the endpoint gave no answer, the mean of the group's others stands in, which teaches nothing.

        Raises ValueError as `EndpointTarget`.
        """
        pairs, places = unique_pairs(boxes, CORNER if self.corner else WHOLE)
        prompts = [self._asked(examples[row], box) for row, box in pairs]
        answers = self.target.answer(prompts, "")
        scores = [
            float("nan") if answer is None else self.score(answer, examples[row])
            for (row, _), answer in zip(pairs, answers, strict=True)
        ]
        found = torch.tensor([[scores[place] for place in group] for group in places])
        failed = found.isnan()
        self.scalars = {"failed": failed.float().mean()}
        return torch.where(failed, found.nanmean(dim=1, keepdim=True).nan_to_num(0.0), found)

    def _asked(self, example: Example, box: Box) -> Prompt:
        question = example.asked or example.question
        text = self.prompt.replace("{question}", question) if self.prompt else target_prompt(question)
        return Prompt(text, partial(_views, example.image, box))


def _views(image: Image.Image, box: Box) -> list[Image.Image]:
    return [image, cropped(image, box)]
