"""OpenAI's own client for Python."""

from __future__ import annotations

from typing import Any

from client import LOOK, TIMEOUT, Given, run
from openai import OpenAI, OpenAIError
from pydantic import BaseModel


class Receipt(BaseModel):
    total: str


def client(given: Given) -> OpenAI:
    return OpenAI(base_url=given.base_url, api_key=given.api_key, max_retries=0, timeout=TIMEOUT)


def create(given: Given) -> Any:
    return client(given).chat.completions.create(model=given.model, messages=given.messages(), temperature=0).to_dict()


def n_and_logprobs(given: Given) -> Any:
    asked = {"n": 2, "logprobs": True, "top_logprobs": 1}
    return client(given).chat.completions.create(model=given.model, messages=given.messages(), **asked).to_dict()


def stream(given: Given) -> Any:
    chunks = client(given).chat.completions.create(
        model=given.model,
        messages=given.messages(),
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    watched = given.watch(chunks, lambda chunk: chunk.choices and chunk.choices[0].delta.content)
    return [chunk.to_dict() for chunk in watched]


def tools(given: Given) -> Any:
    """The model calls a tool, and answers with what that gave."""
    openai, messages = client(given), given.messages()
    first = openai.chat.completions.create(model=given.model, messages=messages, tools=[LOOK]).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "31.70"} for call in first.tool_calls or []]
    messages += [first.to_dict(), *results]
    last = openai.chat.completions.create(model=given.model, messages=messages, tools=[LOOK])
    return [first.to_dict(), last.to_dict()]


def tools_stream(given: Given) -> Any:
    with client(given).chat.completions.stream(model=given.model, messages=given.messages(), tools=[LOOK]) as events:
        for _ in given.watch(events, lambda event: event.type == "chunk" and event.chunk.choices[0].delta.tool_calls):
            pass
        return events.get_final_completion().choices[0].message.to_dict()


def parse(given: Given) -> Any:
    """A structured output, which the client checks."""
    completion = client(given).chat.completions.parse(
        model=given.model, messages=given.messages(), response_format=Receipt, temperature=0
    )
    parsed = completion.choices[0].message.parsed
    return parsed and parsed.model_dump()


def response_input(given: Given) -> list[dict[str, Any]]:
    picture = {"type": "input_image", "image_url": given.image, "detail": "high"}
    return [{"role": "user", "content": [picture, {"type": "input_text", "text": given.question}]}]


def responses(given: Given) -> Any:
    response = client(given).responses.create(model=given.model, input=response_input(given), temperature=0)
    usage = response.usage and response.usage.to_dict()
    return {"text": response.output_text, "status": response.status, "usage": usage}


def responses_stream(given: Given) -> Any:
    events = client(given).responses.create(model=given.model, input=response_input(given), temperature=0, stream=True)
    return [event.type for event in given.watch(events, lambda event: event.type == "response.output_text.delta")]


def models(given: Given) -> Any:
    return [model.id for model in client(given).models.list()]


def error(given: Given) -> Any:
    return client(given).chat.completions.create(model="busy", messages=given.messages()).to_dict()


CASES = [create, n_and_logprobs, stream, tools, tools_stream, parse, responses, responses_stream, models, error]
run({case.__name__: case for case in CASES}, OpenAIError)
