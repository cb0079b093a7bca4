"""An endpoint is asked from a thread: in order, with one limit for all calls, and no thread stays."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import pytest
from PIL import Image
from support.chat_server import chat_server

from cropvlm_trainer.chat.answer_cache import AnswerCache
from cropvlm_trainer.chat.background import BackgroundAsker
from cropvlm_trainer.chat.client import EndpointTarget, Failed
from cropvlm_trainer.chat.endpoint import Endpoint
from cropvlm_trainer.chat.messages import Prompt


def prompt(text: str) -> Prompt:
    return Prompt(text, lambda: [Image.new("RGB", (8, 6), "red")])


def asker(url: str, **settings) -> BackgroundAsker:
    return BackgroundAsker(EndpointTarget(Endpoint(url, "m", backoff=0.001, **settings), AnswerCache(None)))


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "endpoint"]


def test_several_calls_are_asked_in_order_and_share_one_limit():
    with chat_server(lambda text, _: 400 if text == "bad?" else text.upper()) as server:
        asked = asker(server.url, concurrency=2)
        assert threads() == [], "the thread begins with the first prompts"
        first = asked.ask([prompt(f"a{n}") for n in range(4)])
        second = asked.ask([prompt("b0"), prompt("bad?")])
        assert second.result()[0] == "B0" and isinstance(second.result()[1], Failed)
        assert first.result() == ["A0", "A1", "A2", "A3"]
        texts = server.texts()
        assert server.max_running <= 2 and {"a0", "a1"} == set(texts[:2]) and max(texts[-2:]) == "bad?"
        asked.close()
        assert threads() == []
        assert asked.ask([prompt("again")]).result() == ["AGAIN"]
        asked.close()


def test_what_is_under_way_is_broken_off():
    reached = threading.Event()

    def behave(*_):
        reached.set()
        return "stall"

    with chat_server(behave) as server:
        asked = asker(server.url, concurrency=1)
        waiting = [asked.ask([prompt("one?"), prompt("two?")]), asked.ask([prompt("three?")])]
        reached.wait()
        asked.close()
        assert threads() == [] and len(server.requests) == 1
        for each in waiting:
            with pytest.raises(CancelledError):
                each.result()
    asked.close()


def test_an_endpoint_that_refuses_is_an_error_of_its_call():
    with chat_server(lambda *_: 404) as server:
        asked = asker(server.url, concurrency=1)
        with pytest.raises(ValueError, match="replied 404"):
            asked.ask([prompt("one?"), prompt("two?")]).result()
        assert len(server.requests) <= 2
        asked.close()
