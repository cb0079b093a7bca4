"""LiteLLM as a client."""

from __future__ import annotations

from typing import Any

import litellm
from client import LOOK, TIMEOUT, Given, run
from openai import OpenAIError
from pydantic import BaseModel

litellm.suppress_debug_info = True


class Receipt(BaseModel):
    total: str


def completion(given: Given, messages: list[Any] | None = None, model: str | None = None, **more: Any) -> Any:
    return litellm.completion(
        model=f"openai/{model or given.model}",
        api_base=given.base_url,
        api_key=given.api_key,
        messages=messages or given.messages(),
        temperature=0,
        max_retries=0,
        timeout=TIMEOUT,
        **more,
    )


def told(reply: Any) -> Any:
    [choice] = reply.choices
    calls = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]
    usage = reply.usage.prompt_tokens, reply.usage.completion_tokens
    return {"text": choice.message.content, "end": choice.finish_reason, "calls": calls, "usage": usage}


def create(given: Given) -> Any:
    return told(completion(given))


def stream(given: Given) -> Any:
    chunks = completion(given, stream=True, stream_options={"include_usage": True})
    watched = list(given.watch(chunks, lambda chunk: chunk.choices and chunk.choices[0].delta.content))
    return told(litellm.stream_chunk_builder(watched))


def tools(given: Given) -> Any:
    first, messages = completion(given, tools=[LOOK]), given.messages()
    message = first.choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "31.70"} for call in message.tool_calls]
    last = completion(given, [*messages, message.model_dump(exclude_none=True), *results], tools=[LOOK])
    return [told(first), told(last)]


def parse(given: Given) -> Any:
    return Receipt.model_validate_json(told(completion(given, response_format=Receipt))["text"]).model_dump()


def error(given: Given) -> Any:
    return told(completion(given, model="busy"))


run({case.__name__: case for case in [create, stream, tools, parse, error]}, OpenAIError)
