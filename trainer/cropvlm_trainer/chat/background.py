"""Asks an endpoint from a thread of its own, while the caller goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future

from cropvlm_trainer.chat.client import EndpointTarget, Failed
from cropvlm_trainer.chat.messages import Prompt


class BackgroundAsker:
    """Asks the prompts of all calls in the order in which they came, `endpoint.concurrency` at one time in all.

    The thread begins with the first prompts and ends with `close`. Pictures are made and encoded in others beside it.
    """

    def __init__(self, target: EndpointTarget) -> None:
        self.target = target
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun = threading.Event()

    def ask(self, prompts: Sequence[Prompt]) -> Future[list[str | Failed]]:
        """Returns at once. The future has the answers in order, or the ValueError of `EndpointTarget.ask`."""
        if self._thread is None:
            self._client = self.target.client()
            self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="endpoint", daemon=True)
            self._thread.start()
            self._begun.wait()
        return asyncio.run_coroutine_threadsafe(self._ask(prompts), self._loop)

    def close(self) -> None:
        """Breaks off what is being asked, whose futures are then cancelled, and waits for the end of the thread."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._thread = None
        self._begun.clear()

    async def _serve(self) -> None:
        # Those who wait for the semaphore get it in the order in which they came.
        self._free = asyncio.Semaphore(self.target.endpoint.concurrency)
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        async with self._client:
            self._begun.set()
            await self._closing.wait()
            await _cancel(asyncio.all_tasks() - {asyncio.current_task()})

    async def _ask(self, prompts: Sequence[Prompt]) -> list[str | Failed]:
        asked = [asyncio.create_task(self._ask_one(prompt)) for prompt in prompts]
        try:
            return await asyncio.gather(*asked)
        finally:
            await _cancel(asked)

    async def _ask_one(self, prompt: Prompt) -> str | Failed:
        async with self._free:
            return await self.target.answer_one(self._client, prompt)


async def _cancel(tasks: Iterable[asyncio.Task]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
