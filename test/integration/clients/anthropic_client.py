"""Anthropic's own client for Python."""

from __future__ import annotations

from typing import Any

from anthropic import Anthropic, AnthropicError
from client import LOOK, TIMEOUT, Given, run

TOOL = {
    "name": LOOK["function"]["name"],
    "description": LOOK["function"]["description"],
    "input_schema": LOOK["function"]["parameters"],
}


def client(given: Given) -> Anthropic:
    # it appends /v1 itself
    url = given.base_url.removesuffix("/v1")
    return Anthropic(base_url=url, api_key=given.api_key, max_retries=0, timeout=TIMEOUT)


def asked(given: Given, model: str | None = None) -> dict[str, Any]:
    media_type, data = given.image.removeprefix("data:").split(";base64,")
    picture = {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}
    content = [picture, {"type": "text", "text": given.question}]
    messages = [{"role": "user", "content": content}]
    return {"model": model or given.model, "max_tokens": 32, "system": "Be brief.", "messages": messages}


def create(given: Given) -> Any:
    return client(given).messages.create(**asked(given)).to_dict()


def stream(given: Given) -> Any:
    with client(given).messages.stream(**asked(given)) as events:
        for _ in given.watch(events, lambda event: event.type == "text"):
            pass
        return events.get_final_message().to_dict()


def tools(given: Given) -> Any:
    anthropic, request = client(given), asked(given)
    first = anthropic.messages.create(**request, tools=[TOOL])
    calls = [block for block in first.content if block.type == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "31.70"} for call in calls]
    turns = [
        {"role": "assistant", "content": [block.to_dict() for block in first.content]},
        {"role": "user", "content": results},
    ]
    request["messages"] += turns
    return [first.to_dict(), anthropic.messages.create(**request, tools=[TOOL]).to_dict()]


def error(given: Given) -> Any:
    return client(given).messages.create(**asked(given, "busy")).to_dict()


run({case.__name__: case for case in [create, stream, tools, error]}, AnthropicError)
