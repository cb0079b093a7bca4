"""A LiteLLM proxy that zooms: an enlarged crop goes with each picture to whichever model answers.

Before a call, the request goes to CropVLM's `POST /zoom`, which gives it back with the region that the question is
about put in behind its picture. Where that fails or takes too long, the call goes on as it came.

How to install it:

1. Put this file beside the proxy's config.yaml, and name it there:

       litellm_settings:
         callbacks: litellm_zoom.zoom

2. Start the proxy with these variables, of which the first is often enough:

       CROPVLM_URL       where CropVLM runs, without /v1 (default: http://127.0.0.1:8080)
       CROPVLM_API_KEY   its API_KEY, if it has one
       CROPVLM_TIMEOUT   how many seconds a crop is worth waiting for (default: 10)

A caller says more in a field of the request's body, as in `"cropvlm": {"zoom": "off"}`; no model gets to see it.
"""

from __future__ import annotations

import asyncio
import os

import httpx
from litellm._logging import verbose_proxy_logger as log
from litellm.integrations.custom_logger import CustomLogger

FIELDS = {
    "completion": "messages",
    "acompletion": "messages",
    "anthropic_messages": "messages",
    "responses": "input",
    "aresponses": "input",
}
"""Which field of a request holds the pictures, by LiteLLM's name of the call."""


class Zoom(CustomLogger):
    """The hook. `callbacks` of config.yaml takes an instance, such as `zoom` below."""

    def __init__(self) -> None:
        super().__init__()
        key = os.environ.get("CROPVLM_API_KEY")
        self.url = os.environ.get("CROPVLM_URL", "http://127.0.0.1:8080").rstrip("/") + "/zoom"
        self.headers = {"authorization": f"Bearer {key}"} if key else {}
        self.timeout = float(os.environ.get("CROPVLM_TIMEOUT", "10"))
        self.failing = False

    async def async_pre_call_hook(self, user_api_key_dict, cache, data: dict, call_type: str) -> dict:
        """Returns the request with its crops. LiteLLM calls it, and sends what it returns."""
        options = data.pop("cropvlm", None)
        field = FIELDS.get(call_type)
        if field is None or not has_picture(data.get(field)):
            return data
        request = {"model": data.get("model"), field: data[field]}
        if options is not None:
            request["cropvlm"] = options
        try:
            data[field] = (await asyncio.wait_for(self.ask(request), self.timeout))[field]
            self.failing = False
        except Exception as error:
            self.tell(error)
        return data

    async def ask(self, request: dict) -> dict:
        """Returns CropVLM's reply. The key of LiteLLM's caller is not in what it is sent."""
        async with httpx.AsyncClient(timeout=None) as client:
            reply = await client.post(self.url, json=request, headers=self.headers)
        return reply.raise_for_status().json()

    def tell(self, error: Exception) -> None:
        """Logs the first failure of a series, without its text, which could hold what a user sent."""
        if not self.failing:
            why = (
                f"status {error.response.status_code}"
                if isinstance(error, httpx.HTTPStatusError)
                else type(error).__name__
            )
            log.warning("CropVLM gave no crop (%s); requests go on without one", why)
        self.failing = True


def has_picture(messages: object) -> bool:
    """Whether a message has a part of type image_url, input_image or image."""
    contents = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return any(isinstance(part, dict) and "image" in str(part.get("type")) for part in parts)


zoom = Zoom()
