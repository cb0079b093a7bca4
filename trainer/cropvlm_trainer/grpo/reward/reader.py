"""What any program reads in a box's crop: an OCR, or a function of one's own."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from hashlib import sha256

from cropvlm_trainer.boxes import Box
from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.data.seed.ocr import ocr_version
from cropvlm_trainer.files import sha256_of
from cropvlm_trainer.grpo.reward.asked import image_hash, pixels_of, question_of
from cropvlm_trainer.grpo.reward.reading import begin_reading, read_crop
from cropvlm_trainer.idefics3.reward_model import Example
from cropvlm_trainer.own_function import file_of
from cropvlm_trainer.training.reward_config import OCR, ReaderReward


class Readings:
    """A `TextSource`: texts by `reward.function`, kept by image, box, question and what the function is.

    Waiting raises ValueError where the function fails.
    """

    def __init__(self, reward: ReaderReward, cache: AnswerCache) -> None:
        """Raises ValueError where the function is not there. The processes begin with the first crops to read."""
        self.reward, self.cache = reward, cache
        self.reader = ocr_version() if reward.function == OCR else _version(reward.function)
        self._pool: ProcessPoolExecutor | None = None

    def begin(self, asked: Sequence[tuple[Example, Box]]) -> Callable[[], list[str | None]]:
        pixels = [pixels_of(example, box) for example, box in asked]
        hashes = {id(example): image_hash(example) for example, _ in asked}
        keys = [
            self._key(hashes[id(example)], place, question_of(example))
            for (example, _), place in zip(asked, pixels, strict=True)
        ]
        waiting = {
            index: self._processes().submit(
                read_crop, example.image, pixels[index], self.reward.longest_edge, question_of(example)
            )
            for index, (example, _) in enumerate(asked)
            if self.cache.get(keys[index]) is None
        }

        def texts() -> list[str | None]:
            found = []
            for index, key in enumerate(keys):
                text = _result(waiting[index]) if index in waiting else self.cache.get(key)
                if index in waiting and text is not None:
                    self.cache.add(key, text)
                found.append(text)
            return found

        return texts

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _processes(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # A forked process would have the threads of this one's libraries in an unknown state.
            spawn = multiprocessing.get_context("spawn")
            how = {"initializer": begin_reading, "initargs": (self.reward.function,)}
            self._pool = ProcessPoolExecutor(self.reward.processes, mp_context=spawn, **how)
        return self._pool

    def _key(self, image: str, pixels: Box, question: str) -> str:
        asked = [self.reader, self.reward.longest_edge, image, pixels, question]
        return sha256(json.dumps(asked).encode()).hexdigest()


def _result(waiting: Future[str | None]) -> str | None:
    try:
        return waiting.result()
    except BrokenProcessPool as error:
        raise ValueError(
            "a process that reads crops ended; where the memory was too small, set reward.processes lower, and run the "
            "same command again: what was read before is kept"
        ) from error


def _version(function: str) -> str:
    """Returns the function's name and a hash of its module's file, so that another function is asked anew."""
    path = file_of(function, "reward.function")
    return f"{function} {sha256_of([path]) if path else ''}"
