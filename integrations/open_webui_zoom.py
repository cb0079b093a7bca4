"""
title: CropVLM zoom
description: Sends an enlarged crop along with each picture, of the region that the question is about.
version: 0.1.0
license: Apache-2.0

How to install it: in Open WebUI, Admin Panel > Functions > New Function, paste this file, save it and switch it on;
then set its valves (the gear), at least `cropvlm_url`. Make it global, or choose it for single models.

Before a chat goes to its model, it goes to CropVLM's `POST /zoom`, which gives it back with the crop put in behind the
picture. Where that fails or takes too long, the chat goes on as it came. What Open WebUI stores does not change.
"""

from __future__ import annotations

import asyncio
import logging

import httpx
from pydantic import BaseModel, Field

log = logging.getLogger(__name__)


class Filter:
    """Open WebUI makes one instance, and sets `valves` before each call."""

    class Valves(BaseModel):
        cropvlm_url: str = Field("http://127.0.0.1:8080", description="Where CropVLM runs, without /v1.")
        cropvlm_api_key: str = Field(
            "",
            description="Its API_KEY, if it has one.",
            json_schema_extra={"input": {"type": "password"}},
        )
        zoom: str = Field("", description="auto, always or off; empty: as CropVLM is configured.")
        timeout: float = Field(10, description="How many seconds a crop is worth waiting for.")
        priority: int = Field(0, description="Filters of a lower priority run first.")

    def __init__(self) -> None:
        self.valves = self.Valves()
        self.failing = False

    async def inlet(self, body: dict) -> dict:
        """Returns the chat with its crops."""
        if not has_picture(body.get("messages")):
            return body
        try:
            body["messages"] = await asyncio.wait_for(self.ask(body), self.valves.timeout)
            self.failing = False
        except Exception as error:
            self.tell(error)
        return body

    async def ask(self, body: dict) -> list:
        """Returns the messages that CropVLM gives back for those of this chat."""
        valves = self.valves
        headers = {}
        if valves.cropvlm_api_key:
            headers["authorization"] = f"Bearer {valves.cropvlm_api_key}"
        if valves.zoom:
            headers["x-cropvlm-zoom"] = valves.zoom
        # nothing else of the chat is of use there: its user, its files, the keys of its tools
        chat = {"model": body.get("model"), "messages": body["messages"]}
        async with httpx.AsyncClient(timeout=None) as client:
            reply = await client.post(valves.cropvlm_url.rstrip("/") + "/zoom", json=chat, headers=headers)
        return reply.raise_for_status().json()["messages"]

    def tell(self, error: Exception) -> None:
        """Logs the first failure of a series, without its text, which could hold what a user sent."""
        if not self.failing:
            why = (
                f"status {error.response.status_code}"
                if isinstance(error, httpx.HTTPStatusError)
                else type(error).__name__
            )
            log.warning("CropVLM gave no crop (%s); chats go on without one", why)
        self.failing = True


def has_picture(messages: object) -> bool:
    """Whether a message has a part of type image_url."""
    contents = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(isinstance(part, dict) and part.get("type") == "image_url" for part in parts)
