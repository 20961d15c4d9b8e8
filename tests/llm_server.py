"""A local HTTP server that speaks as much of OpenAI's chat protocol as a test asks for, faults included."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}


class LlmServer(ThreadingHTTPServer):
    """Answers with `replies` in turn, the last one over and over; `asked` holds path, headers and body."""

    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.replies: list[tuple[int, Any, dict[str, str]]] = [(200, ANSWER, {})]
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def base_url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_address[1]}/v1"

    def will_answer(self, status: int, body: Any = None, **headers: str) -> None:
        self.replies.append((status, body, headers))
        if len(self.asked) == 0 and self.replies[0][1] is ANSWER:
            self.replies.pop(0)


class _Handler(BaseHTTPRequestHandler):
    server: LlmServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        status, answer, headers = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[LlmServer]:
    """A server on a port of its own."""
    with LlmServer(host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
