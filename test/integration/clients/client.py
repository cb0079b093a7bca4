"""What the programs share that call a client of Python in each of its ways, once at each address.

They get JSON on stdin: `servers` (each with `base_url`, `api_key` and `seen`, an address that is to be called once the
first words of a stream are read), `model`, `image` (a data URL), `question` and the names of the `cases`. They print
what the client made of the replies, a list by case.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.request import urlopen

T = TypeVar("T")

TIMEOUT = 200
"""Seconds, for a busy machine."""

LOOK = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks a price up.",
        "parameters": {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]},
    },
}


@dataclass(frozen=True)
class Given:
    base_url: str
    api_key: str
    seen: str
    model: str
    image: str
    question: str

    def messages(self) -> list[dict[str, Any]]:
        """A chat in OpenAI's form."""
        picture = {"type": "image_url", "image_url": {"url": self.image, "detail": "high"}}
        return [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [picture, {"type": "text", "text": self.question}]},
        ]

    def watch(self, words: Iterable[T], is_first: Callable[[T], object]) -> Iterator[T]:
        """Gives a stream on, and tells its server once its first words are there: it sends the rest only then."""
        told = False
        for word in words:
            if not told and is_first(word):
                told = True
                with urlopen(self.seen, data=b"", timeout=TIMEOUT):
                    pass
            yield word
        if not told:
            raise AssertionError("the stream had no words")


def run(cases: dict[str, Callable[[Given], Any]], error: type[Exception]) -> None:
    """Calls the cases that are asked for. An `error` of the client counts as what it made of a reply."""

    def outcome(case: Callable[[Given], Any], given: Given) -> Any:
        try:
            return case(given)
        except error as failure:
            status, body = getattr(failure, "status_code", None), getattr(failure, "body", None)
            return {"error": type(failure).__name__, "status": status, "body": body, "text": str(failure)}

    asked = json.load(sys.stdin)
    names, servers = asked.pop("cases"), asked.pop("servers")
    print(json.dumps({name: [outcome(cases[name], Given(**asked, **server)) for server in servers] for name in names}))
