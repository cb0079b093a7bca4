"""LangChain's ChatOpenAI."""

from __future__ import annotations

from typing import Any

from client import LOOK, TIMEOUT, Given, run
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI
from openai import OpenAIError
from pydantic import BaseModel


class Receipt(BaseModel):
    """What a receipt says."""

    total: str


def chat(given: Given, **more: Any) -> ChatOpenAI:
    key = {"base_url": given.base_url, "api_key": given.api_key}
    return ChatOpenAI(model=given.model, **key, max_retries=0, timeout=TIMEOUT, temperature=0, **more)


def messages(given: Given) -> list[Any]:
    system, user = given.messages()
    return [SystemMessage(system["content"]), HumanMessage(user["content"])]


def told(message: AIMessage) -> Any:
    calls = [{"name": call["name"], "args": call["args"]} for call in message.tool_calls]
    return {"text": message.text, "calls": calls, "usage": message.usage_metadata}


def create(given: Given) -> Any:
    return told(chat(given).invoke(messages(given)))


def stream(given: Given) -> Any:
    chunks = chat(given, stream_usage=True).stream(messages(given))
    whole = None
    for chunk in given.watch(chunks, lambda chunk: chunk.text):
        whole = chunk if whole is None else whole + chunk
    return told(whole)


def tools(given: Given) -> Any:
    model, asked = chat(given).bind_tools([LOOK]), messages(given)
    first = model.invoke(asked)
    results = [ToolMessage("31.70", tool_call_id=call["id"]) for call in first.tool_calls]
    return [told(first), told(model.invoke([*asked, first, *results]))]


def parse(given: Given) -> Any:
    return chat(given).with_structured_output(Receipt, method="json_schema").invoke(messages(given)).model_dump()


def responses(given: Given) -> Any:
    return told(chat(given, use_responses_api=True).invoke(messages(given)))


def error(given: Given) -> Any:
    return told(chat(given).bind(model="busy").invoke(messages(given)))


run({case.__name__: case for case in [create, stream, tools, parse, responses, error]}, OpenAIError)
