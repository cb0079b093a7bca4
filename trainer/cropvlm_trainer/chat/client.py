"""A model behind an OpenAI-compatible endpoint (vLLM, SGLang, Ollama, llama.cpp, OpenAI)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence

import openai
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter
from tqdm import tqdm

from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.chat.endpoint import Endpoint
from cropvlm_trainer.chat.messages import Prompt, user_message

RETRIED = {408, 409, 425, 429}
"""Statuses below 500 after which the same call may succeed."""
MAX_WAIT = 60.0
"""Seconds between two calls at most, whatever the endpoint's Retry-After asks for."""


class Failed(Exception):
    """A prompt has no answer; the message says why. `Prompt.pictures` raises it where a picture cannot be made."""


class Retriable(Exception):
    """A call failed in a way that may pass. `retry_after`: seconds that the endpoint asks to wait, 0 if it does not."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class EndpointTarget:
    """Asks an endpoint, at temperature 0. Prompts with an answer in `cache` are not sent again.

    `answer` and `ask` raise ValueError where the endpoint refuses every prompt (a wrong key, model or URL), or has
    failed `endpoint.patience` prompts in a row. Answers up to then are in `cache`.
    """

    def __init__(self, endpoint: Endpoint, cache: AnswerCache) -> None:
        self.endpoint = endpoint
        self.cache = cache
        self._failed_in_a_row = 0
        # openai fills these headers from the environment, with values that are meant for another endpoint.
        unsent = ["OpenAI-Organization", "OpenAI-Project", *([] if endpoint.key else ["Authorization"])]
        self._unsent = {header: openai.Omit() for header in unsent}
        self._backoff = wait_exponential_jitter(multiplier=endpoint.backoff, max=MAX_WAIT, jitter=endpoint.backoff)

    def answer(self, prompts: Sequence[Prompt], name: str) -> list[str | None]:
        """Returns the stripped answers in order, None where a prompt has none. `name` labels the progress bar.

        Without a name there is no bar.
        """
        return [None if isinstance(answer, Failed) else answer for answer in self.ask(prompts, name)]

    def ask(self, prompts: Sequence[Prompt], name: str) -> list[str | Failed]:
        """Like `answer`, but a prompt without an answer has a `Failed` that says why."""
        return asyncio.run(self._answer_all(prompts, name))

    async def _answer_all(self, prompts: Sequence[Prompt], name: str) -> list[str | Failed]:
        answers: list[str | Failed] = [Failed("not asked")] * len(prompts)
        waiting = iter(enumerate(prompts))
        async with self.client() as client:
            with tqdm(total=len(prompts), desc=name, disable=not name) as bar:

                async def work() -> None:
                    for index, prompt in waiting:
                        answers[index] = await self.answer_one(client, prompt)
                        bar.update()

                # One worker for each call that may run at a time, so that only their pictures are in memory.
                workers = [asyncio.create_task(work()) for _ in range(self.endpoint.concurrency)]
                try:
                    await asyncio.gather(*workers)
                finally:
                    for worker in workers:
                        worker.cancel()
                    await asyncio.gather(*workers, return_exceptions=True)
        return answers

    def client(self) -> openai.AsyncOpenAI:
        """Returns a client for `answer_one`, to be closed by the caller."""
        # Retries and the timeout are ours: openai does not retry a reply that is no chat completion, and its timeout
        # is for each part of a reply, so that a reply that trickles in would never end.
        return openai.AsyncOpenAI(
            base_url=self.endpoint.url, api_key=self.endpoint.key or "none", max_retries=0, timeout=None
        )

    async def answer_one(self, client: openai.AsyncOpenAI, prompt: Prompt) -> str | Failed:
        """Returns the cached answer or a new one, or Failed where the pictures cannot be made or every call failed.

        Raises ValueError as `answer`.
        """
        key = self._key_without_pictures(prompt)
        if key and (cached := self.cache.get(key)) is not None:
            return cached
        try:
            # The loop's thread goes on with other calls. Callers bound how many prompts are here at one time.
            body, key_of_body = await asyncio.to_thread(self._body, prompt)
        except Failed as error:
            # Not counted in `_failed_in_a_row`: the endpoint is not at fault.
            return _without_traceback(error)
        key = key or key_of_body
        if (cached := self.cache.get(key)) is not None:
            return cached
        try:
            answer = await self._call_until_answered(client, body)
        except Failed as error:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= self.endpoint.patience:
                raise ValueError(
                    f"{self.endpoint.url} failed {self._failed_in_a_row} questions in a row, the last so: {error}; "
                    "run the same command again once it answers: what it answered before is not asked again"
                ) from error
            return _without_traceback(error)
        self._failed_in_a_row = 0
        self.cache.add(key, answer)
        return answer

    def _key_without_pictures(self, prompt: Prompt) -> str | None:
        """Returns the key of a prompt's answer where the prompt says what its pictures depend on."""
        if prompt.pictures_key is None:
            return None
        to = self.endpoint
        return _sha256([to.url, to.model, to.longest_edge, to.max_tokens, prompt.text, prompt.pictures_key])

    def _body(self, prompt: Prompt) -> tuple[dict, str]:
        """Returns what is sent, and the key of its answer. Raises Failed where the pictures cannot be made."""
        body = {
            "model": self.endpoint.model,
            "messages": [user_message(prompt.text, prompt.pictures(), self.endpoint.longest_edge)],
            "max_tokens": self.endpoint.max_tokens,
            "temperature": 0,
        }
        return body, _sha256([self.endpoint.url, body])

    async def _call_until_answered(self, client: openai.AsyncOpenAI, body: dict) -> str:
        """Returns the answer. Raises Failed after the last try, and ValueError where every prompt would be refused."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Retriable),
            stop=stop_after_attempt(self.endpoint.tries),
            wait=self._wait,
            reraise=True,
        )
        try:
            return await retrying(self._call, client, body)
        except Retriable as error:
            raise Failed(f"{error}, in the last of {self.endpoint.tries} tries") from error

    def _wait(self, state: RetryCallState) -> float:
        """Seconds until the next call: the growing backoff, or what the endpoint asked for if that is longer."""
        failure = state.outcome.exception()
        return min(max(self._backoff(state), failure.retry_after), MAX_WAIT)

    async def _call(self, client: openai.AsyncOpenAI, body: dict) -> str:
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                reply = await client.chat.completions.create(**body, extra_headers=self._unsent)
        except TimeoutError as error:
            raise Retriable(f"no answer within {self.endpoint.timeout:g} s") from error
        except openai.APIStatusError as error:
            status = error.status_code
            if hint := self.endpoint.hint(status):
                raise ValueError(f"{self.endpoint.url} replied {status}: {hint}") from error
            if status < 500 and status not in RETRIED:
                raise Failed(f"status {status}, {error.message[:200]}") from error
            raise Retriable(f"status {status}", _retry_after(error)) from error
        except (openai.APIError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise Retriable(str(error.__cause__ or error)[:200]) from error
        return _text_of(reply)


def _sha256(asked: list) -> str:
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _without_traceback(error: Failed) -> Failed:
    """A copy of the error; the traceback of the original keeps the prompt's pictures in memory."""
    return Failed(str(error))


def _retry_after(error: openai.APIStatusError) -> float:
    """Seconds that the endpoint asks to wait; 0 where it asks for none, or gives a date."""
    try:
        return float(error.response.headers.get("retry-after", 0))
    except ValueError:
        return 0.0


def _text_of(reply: object) -> str:
    """Returns the stripped answer, or the words with which the model refused one.

    Raises Retriable for a reply that is not a chat completion; `openai` does not check that.
    """
    choices = getattr(reply, "choices", None)
    message = getattr(choices[0], "message", None) if isinstance(choices, list) and choices else None
    for text in (getattr(message, "content", None), getattr(message, "refusal", None)):
        if isinstance(text, str):
            return text.strip()
    raise Retriable("the reply is no chat completion with a text")
