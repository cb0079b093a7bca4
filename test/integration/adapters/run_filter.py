"""Runs the filter in Open WebUI: `python run_filter.py filter.py < chats.json > seen.json`, with DATA_DIR an empty folder.

The package's own code stores the function and its valves in its database, loads it from there, and calls it for each chat
as `process_chat_payload` of its middleware does. What stands for the rest of the application is the `request`, of which only
`app.state` and `state` are used.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from types import SimpleNamespace

from open_webui.internal.db import Base, async_engine
from open_webui.models.functions import FunctionForm, FunctionMeta, Functions
from open_webui.utils.filter import get_filter_context, get_filter_functions, process_filter_functions
from open_webui.utils.plugin import load_function_module_by_id

APP = SimpleNamespace(state=SimpleNamespace())


async def install(content: str, valves: dict) -> None:
    """Does what an administrator does who pastes the file, sets its valves, and makes it active and global."""
    _, kind, frontmatter, _ = await load_function_module_by_id("zoom", content=content)
    form = FunctionForm(id="zoom", name="Zoom", content=content, meta=FunctionMeta(manifest=frontmatter))
    await Functions.insert_new_function("admin", kind, form)
    await Functions.update_function_valves_by_id("zoom", valves)
    await Functions.update_function_by_id("zoom", {"is_active": True, "is_global": True})


async def inlet(chat: dict) -> dict:
    """Returns the chat as the model gets it."""
    request = SimpleNamespace(app=APP, state=SimpleNamespace())
    user = {"id": "u1", "name": "Ann", "email": "ann@example.org", "role": "user"}
    model = {"id": chat["model"], "name": chat["model"]}
    functions = await get_filter_functions(request, model, [])
    if [function.id for function in functions] != ["zoom"]:
        raise SystemExit("Open WebUI does not call the filter")
    form_data, _ = await process_filter_functions(
        request=request,
        filter_context=get_filter_context(request),
        filter_functions=functions,
        filter_type="inlet",
        form_data=chat,
        extra_params={"__user__": user, "__metadata__": chat.get("metadata"), "__request__": request, "__model__": model},
    )
    return form_data


async def main() -> None:
    given = json.load(sys.stdin)
    async with async_engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await install(Path(sys.argv[1]).read_text(), given["valves"])
    # one after the other: a filter's instance is kept from call to call
    print(json.dumps([await inlet(chat) for chat in given["chats"]]))


logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
asyncio.run(main())
