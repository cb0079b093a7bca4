"""What any model behind an OpenAI-compatible endpoint answers: for a cropper of the model that one runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.chat.background import BackgroundAsker
from cropvlm_trainer.chat.client import EndpointTarget, Failed
from cropvlm_trainer.chat.endpoint import Endpoint, key_from
from cropvlm_trainer.chat.messages import Prompt
from cropvlm_trainer.contract import target_prompt
from cropvlm_trainer.grpo.reward.asked import image_hash, pixels_of, question_of
from cropvlm_trainer.idefics3.reward_model import Example, cropped
from cropvlm_trainer.training.reward_config import EndpointReward

CACHE = "reward.answers.jsonl"


def open_cache(out: Path, process: int) -> AnswerCache:
    """The answers kept in the run folder, so that a run that goes on does not ask for them again.

    `process`: the number of this process of the run; each has a file of its own.
    """
    return AnswerCache(out / (f"{process}.{CACHE}" if process else CACHE))


def make_target(reward: EndpointReward, cache: AnswerCache) -> EndpointTarget:
    """Raises ValueError for a URL that is none, and for a key that is not in the environment."""
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
    return EndpointTarget(endpoint, cache)


class EndpointAnswers:
    """A `TextSource`: answers from the full image and the crop. Waiting raises ValueError as `EndpointTarget`."""

    def __init__(self, target: EndpointTarget, prompt: str | None) -> None:
        """`prompt`: as `EndpointReward` has it."""
        self.target, self.prompt, self.asker = target, prompt, BackgroundAsker(target)

    def begin(self, asked: Sequence[tuple[Example, Box]]) -> Callable[[], list[str | None]]:
        hashes = {id(example): image_hash(example) for example, _ in asked}
        answers = self.asker.ask([self._prompt(example, box, hashes[id(example)]) for example, box in asked])
        return lambda: [None if isinstance(answer, Failed) else answer for answer in answers.result()]

    def close(self) -> None:
        self.asker.close()

    def _prompt(self, example: Example, box: Box, image: str) -> Prompt:
        """`image`: a hash of the example's image."""
        question = question_of(example)
        text = self.prompt.replace("{question}", question) if self.prompt else target_prompt(question)
        return Prompt(text, partial(_views, example.image, box), f"{image} {pixels_of(example, box)}")


def _views(image: Image.Image, box: Box) -> list[Image.Image]:
    return [image, cropped(image, box)]
