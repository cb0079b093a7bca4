"""A server on loopback that stands in for the Hugging Face hub: all that streaming one data set from a folder needs."""

from __future__ import annotations

import json
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Hub(ThreadingHTTPServer):
    def __init__(self, repo: str, folder: Path, sha: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repo, self.folder, self.sha = repo, folder, sha
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.asked.append(f"{self.command} {self.path} {body}")
        if "/paths-info/" not in self.path:
            return self._send(404, b"{}")
        paths = json.loads(body)["paths"] if body.startswith("{") else unquote(body)
        found = [
            self._entry(path)
            for path in self.server.files()
            if path.relative_to(self.server.folder).as_posix() in paths
        ]
        return self._send(200, json.dumps(found).encode())

    def _answer(self) -> None:
        hub = self.server
        hub.asked.append(f"{self.command} {self.path}")
        path = unquote(urlsplit(self.path).path)
        api, resolve = f"/api/datasets/{hub.repo}", f"/datasets/{hub.repo}/resolve/"
        if path in (api, f"{api}/revision/main", f"{api}/revision/{hub.sha}"):
            names = [{"rfilename": file.relative_to(hub.folder).as_posix()} for file in hub.files()]
            return self._send(200, json.dumps({"id": hub.repo, "sha": hub.sha, "siblings": names}).encode())
        if path.startswith(f"{api}/tree/"):
            under = path.removeprefix(f"{api}/tree/").partition("/")[2]
            folder = hub.folder / under
            inside = folder.rglob("*") if "recursive=true" in self.path.lower() else folder.iterdir()
            return self._send(200, json.dumps([self._entry(file) for file in sorted(inside)]).encode())
        file = hub.folder / path.removeprefix(resolve).partition("/")[2]
        if path.startswith(resolve) and file.is_file():
            return self._send(200, file.read_bytes())
        return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def _entry(self, path: Path) -> dict:
        name = path.relative_to(self.server.folder).as_posix()
        if path.is_dir():
            return {"type": "directory", "path": name, "oid": sha1(name.encode()).hexdigest(), "size": 0}
        content = path.read_bytes()
        return {"type": "file", "path": name, "oid": sha1(content).hexdigest(), "size": len(content)}

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        total, span = len(content), self.headers.get("Range")
        headers = {"ETag": f'"{sha1(content).hexdigest()}"', "X-Repo-Commit": self.server.sha, **(headers or {})}
        if span and status == 200:
            first, _, last = span.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last or total - 1) + 1, total)
            content, status = content[start:stop], 206
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass
