"""A target behind an OpenAI-compatible endpoint (vLLM, SGLang, Ollama, llama.cpp, OpenAI)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Sequence

import openai
from tqdm import tqdm

from cropvlm_trainer.chat.answer_cache import KeptAnswers
from cropvlm_trainer.chat.endpoint import Endpoint
from cropvlm_trainer.chat.messages import Question, user_message

AGAIN = {408, 409, 425, 429}
"""Statuses below 500 that may pass."""
MOST_WAIT = 60.0
"""Seconds that are waited between two tries at most, whatever a Retry-After says."""


class Failed(Exception):
    """One question stays without an answer; says why. A question whose pictures cannot be made raises it too."""


class Unreadable(Exception):
    """A reply that is no chat completion."""


class EndpointTarget:
    """Answers at temperature 0; those in `kept` are not asked for again.

    Raises ValueError where the endpoint takes no question at all; `kept` then has what was answered before.
    """

    def __init__(self, endpoint: Endpoint, kept: KeptAnswers) -> None:
        self.endpoint = endpoint
        self.kept = kept
        self._failed_in_a_row = 0
        # What the library would else look up in the environment is not for this endpoint.
        unsent = ["OpenAI-Organization", "OpenAI-Project", *([] if endpoint.key else ["Authorization"])]
        self._unsent = {header: openai.Omit() for header in unsent}

    def answer(self, questions: Sequence[Question], name: str) -> list[str | None]:
        return [None if isinstance(answer, Failed) else answer for answer in self.ask(questions, name)]

    def ask(self, questions: Sequence[Question], name: str) -> list[str | Failed]:
        """As `answer`, but a question without an answer says why it has none."""
        return asyncio.run(self._answer_all(questions, name))

    async def _answer_all(self, questions: Sequence[Question], name: str) -> list[str | Failed]:
        answers: list[str | Failed] = [Failed("not asked")] * len(questions)
        waiting = iter(enumerate(questions))
        async with openai.AsyncOpenAI(
            base_url=self.endpoint.url,
            api_key=self.endpoint.key or "none",
            max_retries=0,
            timeout=None,
        ) as client:
            with tqdm(total=len(questions), desc=name) as bar:

                async def work() -> None:
                    for index, question in waiting:
                        answers[index] = await self._answer_one(client, question)
                        bar.update()

                # As many workers as calls may run: pictures are made only when their turn comes.
                workers = [asyncio.create_task(work()) for _ in range(self.endpoint.concurrency)]
                try:
                    await asyncio.gather(*workers)
                finally:
                    for worker in workers:
                        worker.cancel()
                    await asyncio.gather(*workers, return_exceptions=True)
        return answers

    async def _answer_one(self, client: openai.AsyncOpenAI, question: Question) -> str | Failed:
        """The kept answer or a new one; Failed where it cannot be asked or every try failed."""
        try:
            pictures = question.pictures()
        except Failed as error:
            # No fault of the endpoint: it does not try its patience.
            return _bare(error)
        body = {
            "model": self.endpoint.model,
            "messages": [user_message(question.text, pictures, self.endpoint.longest_edge)],
            "max_tokens": self.endpoint.max_tokens,
            "temperature": 0,
        }
        key = hashlib.sha256(json.dumps([self.endpoint.url, body]).encode()).hexdigest()
        if (kept := self.kept.get(key)) is not None:
            return kept
        try:
            answer = await self._try(client, body)
        except Failed as error:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= self.endpoint.patience:
                raise ValueError(
                    f"{self.endpoint.url} failed {self._failed_in_a_row} questions in a row, the last so: {error}; "
                    "run the same command again once it answers: what it answered before is not asked again"
                ) from error
            return _bare(error)
        self._failed_in_a_row = 0
        self.kept.add(key, answer)
        return answer

    async def _try(self, client: openai.AsyncOpenAI, body: dict) -> str:
        """Raises Failed where no try gives an answer, ValueError where the endpoint is not what was meant."""
        for number in range(self.endpoint.tries):
            asked_wait = 0.0
            try:
                # The library's own timeout is for each part of a reply; a slow trickle would never end.
                async with asyncio.timeout(self.endpoint.timeout):
                    reply = await client.chat.completions.create(**body, extra_headers=self._unsent)
                return _text_of(reply)
            except TimeoutError:
                reason = f"no answer within {self.endpoint.timeout:g} s"
            except openai.APIStatusError as error:
                reason = f"status {error.status_code}"
                if hint := self.endpoint.hint(error.status_code):
                    raise ValueError(f"{self.endpoint.url} replied {error.status_code}: {hint}") from error
                if error.status_code < 500 and error.status_code not in AGAIN:
                    raise Failed(f"{reason}, {error.message[:200]}") from error
                asked_wait = _retry_after(error)
            except (openai.APIError, Unreadable, json.JSONDecodeError, UnicodeDecodeError) as error:
                reason = str(error.__cause__ or error)[:200]
            if number + 1 < self.endpoint.tries:
                # Half of it by chance, so that calls which failed together do not come back together.
                wait = self.endpoint.backoff * 2**number * random.uniform(0.5, 1)
                await asyncio.sleep(min(max(wait, asked_wait), MOST_WAIT))
        raise Failed(f"{reason}, in the last of {self.endpoint.tries} tries")


def _bare(error: Failed) -> Failed:
    """Without the traceback, which would hold on to a question's pictures until the run ends."""
    return Failed(str(error))


def _retry_after(error: openai.APIStatusError) -> float:
    """Seconds that the endpoint asks to wait; 0 where it says none, or a date."""
    try:
        return float(error.response.headers.get("retry-after", 0))
    except ValueError:
        return 0.0


def _text_of(reply: object) -> str:
    """The stripped answer; a refusal's words where the model refused. Whatever answers at a URL may send anything."""
    choices = getattr(reply, "choices", None)
    message = getattr(choices[0], "message", None) if isinstance(choices, list) and choices else None
    for text in (getattr(message, "content", None), getattr(message, "refusal", None)):
        if isinstance(text, str):
            return text.strip()
    raise Unreadable("the reply is no chat completion with a text")
