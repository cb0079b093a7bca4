"""A chat-completions endpoint on loopback for tests, which misbehaves as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ChatServer:
    behave: Callable[[str, int], object]
    """Of a prompt's text and how often it came before: an answer, a status, raw bytes of a body, "stall", "hang up",
    or a dict, the whole completion."""
    url: str = ""
    requests: list[dict] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
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
                state.most_running = max(state.most_running, state.running)
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
            elif isinstance(what, int):
                self.send(what, json.dumps({"error": {"message": f"status {what}"}}).encode())
            elif isinstance(what, bytes):
                self.send(200, what)
            else:
                self.send(200, json.dumps(what if isinstance(what, dict) else completion(what)).encode())

        def send(self, status: int, body: bytes):
            self.send_response(status)
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
