"""A forge's HTTP API as far as comments go: the only thing that stands in for something real here."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = 50


@dataclass
class Comment:
    author: str
    body: str


@dataclass
class ForgeApi:
    """`comments` by request; `requests` are GitLab's open ones, (number, commit); `me` has the token."""

    me: str
    token: str
    url: str = ""
    comments: dict[int, dict[int, Comment]] = field(default_factory=dict)
    requests: list[tuple[int, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, query: str, body: Any) -> Any:
        """What JSON goes back; None for what there isn't."""
        if method == "GET" and path.endswith("/merge_requests"):
            return self._page([{"iid": number, "sha": sha} for number, sha in self.requests], query)
        found = re.fullmatch(r".*/(?:issues|merge_requests)/(\d+)/(?:comments|notes)", path)
        if found:
            here = self.comments.setdefault(int(found[1]), {})
            return self._list(here, query) if method == "GET" else self._post(here, body)
        edited = re.fullmatch(r".*/(?:issues/comments|merge_requests/\d+/notes)/(\d+)", path)
        return self._edit(int(edited[1]), body) if edited and method in ("PATCH", "PUT") else None

    def _list(self, here: dict[int, Comment], query: str) -> Any:
        return self._page([self._plain(number, each) for number, each in here.items()], query)

    def _page(self, entries: list[Any], query: str) -> Any:
        number = int(dict(re.findall(r"(\w+)=(\w+)", query))["page"])
        return entries[(number - 1) * PAGE : number * PAGE]

    def _post(self, here: dict[int, Comment], body: Any) -> Any:
        number = 1000 + sum(map(len, self.comments.values()))
        here[number] = Comment(self.me, body["body"])
        return self._plain(number, here[number])

    def _edit(self, number: int, body: Any) -> Any:
        comment = next(here[number] for here in self.comments.values() if number in here)
        if comment.author != self.me:
            self.refused.append(f"{comment.author}'s comment {number}")
        comment.body = body["body"]
        return self._plain(number, comment)

    def _plain(self, number: int, comment: Comment) -> dict[str, Any]:
        named = {"login": comment.author, "username": comment.author}
        return {"id": number, "body": comment.body, "user": named, "author": named}


class _Handler(BaseHTTPRequestHandler):
    api: ForgeApi

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        shown = self.headers.get("Authorization", "") + self.headers.get("PRIVATE-TOKEN", "")
        path, _, query = self.path.partition("?")
        answer = self.api.answer(self.command, path, query, body) if self.api.token in shown else None
        data = json.dumps(answer).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(api: ForgeApi) -> Iterator[ForgeApi]:
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
