"""A chat-completions endpoint on loopback that fails in the ways that a test asks for."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType


@dataclass
class ChatServer:
    behave: Callable[[str, int], object]
    """Decides on a reply by a prompt's text and how often it was asked before: an answer, a status (alone or in a tuple
    with headers), the bytes of a body, "stall", "hang up", or a dict with the whole completion."""
    url: str = ""
    requests: list[dict] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    running: int = 0
    max_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def texts(self) -> list[str]:
        return [text_of(body) for body in self.requests]


def text_of(body: dict) -> str:
    return body["messages"][0]["content"][-1]["text"]


def completion(answer: str) -> dict:
    message = {"role": "assistant", "content": answer}
    return {"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": message}]}


@contextmanager
def chat_server(behave: Callable[[str, int], object]):
    state = ChatServer(behave)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with state.lock:
                before = state.texts().count(text_of(body))
                state.requests.append(body)
                state.headers.append(
                    {name.lower(): value for name, value in self.headers.items()} | {"path": self.path}
                )
                state.running += 1
                state.max_running = max(state.max_running, state.running)
            try:
                self.reply(state.behave(text_of(body), before))
            finally:
                with state.lock:
                    state.running -= 1

        def reply(self, what):
            if what == "stall":
                state.closing.wait()
                self.close_connection = True
            elif what == "hang up":
                self.close_connection = True
            elif isinstance(what, int | tuple):
                status, headers = what if isinstance(what, tuple) else (what, {})
                self.send(status, json.dumps({"error": {"message": f"status {status}"}}).encode(), headers)
            elif isinstance(what, bytes):
                self.send(200, what)
            else:
                self.send(200, json.dumps(what if isinstance(what, dict) else completion(what)).encode())

        def send(self, status: int, body: bytes, headers: Mapping[str, str] = MappingProxyType({})):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
